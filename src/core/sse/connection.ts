import type { Bytes, Chunk, EventFilter } from "./frames.js";

/** What Bun hands to the `pull` of a direct stream. */
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

/** One client of the hub: a direct stream and how far it has got. */
export class Connection {
  state: ConnectionState = "idle";
  /** Everything up to here has been sent, or does not pass the filter. Not maintained while live. */
  position: string;
  /** Sent further than what has been announced; the next batch may contain known events. */
  ahead = false;
  /** Bytes it would have been sent since it stalled. */
  lag = 0;
  /** Reading of a monotonic clock when it stalled, in milliseconds. */
  stalledAt = 0;
  /** The same of when it was made. */
  readonly idleSince = performance.now();
  readonly stream: ReadableStream<Uint8Array>;
  #controller: DirectController | undefined;
  readonly #ended = Promise.withResolvers<void>();
  /** Resolves when nothing more will be sent. */
  readonly ended = this.#ended.promise;

  constructor(
    position: string,
    readonly filter: EventFilter | undefined,
    /** Clients with the same filter share their chunks. */
    readonly filterKey: string,
    begin: () => void,
    gone: () => void,
  ) {
    this.position = position;
    const source = {
      type: "direct",
      pull: (controller: DirectController) => {
        if (this.closed) controller.close();
        if (this.state !== "idle") return;
        this.#controller = controller;
        begin();
        return this.ended;
      },
      cancel: gone,
    };
    this.stream = new ReadableStream(source as unknown as UnderlyingDefaultSource<Uint8Array>);
  }

  get closed(): boolean {
    return this.state === "closed";
  }

  /**
   * Writes and pushes out. Returns true when the client takes more, false when it is gone, and a promise
   * when it has to drain first; the bytes are accepted in the last case too.
   */
  write(bytes: Bytes): boolean | Promise<unknown> {
    const written = this.#controller?.write(bytes) ?? 0;
    if (typeof written !== "number") return written;
    if (written === 0) return false;
    this.#controller?.flush();
    return true;
  }

  /** Writes one chunk after the other until the client stalls or is gone. */
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

  /** Ends the stream; with an error the connection is cut without waiting for what is still unsent. */
  end(error?: Error): void {
    this.state = "closed";
    this.#controller?.close(error);
    this.#ended.resolve();
  }
}
