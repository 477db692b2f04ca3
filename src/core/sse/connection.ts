/** One client of the event hub. */
import type { Bytes, Chunk, EventFilter } from "./frames.js";

/** What Bun passes to the `pull` of a direct stream. */
interface DirectController {
  write(bytes: Bytes): number | Promise<number | boolean>;
  flush(): unknown;
  close(error?: Error): void;
}

/**
 * - `idle`: nobody has begun to read
 * - `catching-up`: being sent what it missed
 * - `live`: has everything, gets each batch as it comes
 * - `stalled`: does not read as fast as events come; nothing is sent or kept for it meanwhile
 * - `closed`: gone
 */
export type ConnectionState = "idle" | "catching-up" | "live" | "stalled" | "closed";

/** What a connection begins with. */
export interface ConnectionOptions {
  /** Where in the log it begins. */
  position: string;
  filter: EventFilter | undefined;
  /** Called when the client begins to read. */
  onBegin(): void;
  /** Called when the client disconnects. */
  onGone(): void;
}

/** One client of the hub: a direct stream and the client's position in the log. */
export class Connection {
  state: ConnectionState = "idle";
  /** Everything up to this position has been sent or filtered out. Not updated while live. */
  position: string;
  /** Whether events have been sent that are yet to be announced; the next batch may contain them. */
  ahead = false;
  /** Bytes missed since it stalled. */
  lag = 0;
  /** When it stalled, in milliseconds of a monotonic clock. */
  stalledAt = 0;
  /** When it was created, in milliseconds of a monotonic clock. */
  readonly idleSince = performance.now();
  readonly filter: EventFilter | undefined;
  /** Identifies the filter; clients with equal filters share chunks. */
  readonly filterKey: string;
  readonly stream: ReadableStream<Uint8Array>;
  #controller: DirectController | undefined;
  readonly #ended = Promise.withResolvers<void>();
  /** Resolves when nothing more will be sent. */
  readonly ended = this.#ended.promise;

  constructor({ position, filter, onBegin, onGone }: ConnectionOptions) {
    this.position = position;
    this.filter = filter;
    this.filterKey = filter ? JSON.stringify([filter.types, filter.sources]) : "";
    const source = {
      type: "direct",
      pull: (controller: DirectController) => {
        if (this.closed) controller.close();
        if (this.state !== "idle") return;
        this.#controller = controller;
        onBegin();
        return this.ended;
      },
      cancel: onGone,
    };
    this.stream = new ReadableStream(source as unknown as UnderlyingDefaultSource<Uint8Array>);
  }

  get closed(): boolean {
    return this.state === "closed";
  }

  /**
   * Writes and flushes. Returns true when the client can take more, false when it is gone, and a promise when
   * it must drain first; the bytes are accepted in the last case too.
   */
  write(bytes: Bytes): boolean | Promise<unknown> {
    const written = this.#controller?.write(bytes) ?? 0;
    if (typeof written !== "number") return written;
    if (written === 0) return false;
    this.#controller?.flush();
    return true;
  }

  /** Writes chunks until the client stalls or is gone. `sent` counts events. */
  writeAll(chunks: readonly Chunk[]): { result: boolean | Promise<unknown>; sent: number } {
    let sent = 0;
    for (const chunk of chunks) {
      const result = this.write(chunk.bytes);
      if (result === false) return { result, sent };
      sent += chunk.count;
      this.position = chunk.last;
      if (result !== true) return { result, sent };
    }
    return { result: true, sent };
  }

  /** Ends the stream. With an error, the connection is cut without sending what is buffered. */
  end(error?: Error): void {
    this.state = "closed";
    this.#controller?.close(error);
    this.#ended.resolve();
  }
}
