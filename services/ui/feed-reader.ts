/** Reads the feed's stream inside the process, and goes on after reloads of the feed where it was. */
import { messageOf } from "../../src/core/errors.js";
import type { ServiceContext } from "../../src/core/types.js";

const RETRY_MS = 1000;

/** Whole frames of a stream of server-sent events, however it was cut into pieces. */
export class FrameBuffer {
  #rest = "";
  readonly #decoder = new TextDecoder();

  /** What is complete now, possibly nothing. */
  add(piece: Uint8Array): string {
    const text = this.#rest + this.#decoder.decode(piece, { stream: true });
    const end = text.lastIndexOf("\n\n") + 2;
    this.#rest = end < 2 ? text : text.slice(end);
    return end < 2 ? "" : text.slice(0, end);
  }
}

/** The last `id:` in whole frames. */
export function lastIdIn(frames: string): string | undefined {
  const at = frames.startsWith("id: ") ? 0 : -1;
  const last = Math.max(at, frames.lastIndexOf("\nid: ") + 1 || -1);
  if (last < 0) return undefined;
  return frames.slice(last + 4, frames.indexOf("\n", last));
}

/** What reading the feed takes. */
export type FeedHost = Pick<ServiceContext, "dispatch" | "getModule" | "setTimeout" | "log">;

export class FeedReader {
  /** Whether the feed is there and sends. */
  connected = false;
  #lastId: string | undefined;
  readonly #ctx: FeedHost;
  readonly #signal: AbortSignal;

  constructor(ctx: FeedHost, lastId: string | undefined, signal: AbortSignal) {
    this.#ctx = ctx;
    this.#lastId = lastId;
    this.#signal = signal;
  }

  /**
   * Hands over frames as they come, and reads on when `take` has resolved. `changed` hears when the feed comes
   * or goes. Resolves when the signal aborts.
   */
  async run(take: (frames: string) => Promise<void>, changed: (connected: boolean) => void): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await this.#once(take, changed);
      } catch (error) {
        if (!this.#signal.aborted) this.#ctx.log.warn(`the feed's stream broke: ${messageOf(error)}`);
      }
      if (this.connected) {
        this.connected = false;
        changed(false);
      }
      if (!this.#signal.aborted) await this.#pause();
    }
  }

  async #once(take: (frames: string) => Promise<void>, changed: (connected: boolean) => void): Promise<void> {
    if (!this.#ctx.getModule("feed")) return;
    const headers = new Headers(this.#lastId === undefined ? {} : { "last-event-id": this.#lastId });
    const request = new Request("http://reef.internal/feed/stream", { headers, signal: this.#signal });
    const reply = await this.#ctx.dispatch(request, { trusted: true });
    if (!reply.ok || !reply.body) {
      await reply.body?.cancel();
      return;
    }
    const reader = reply.body.getReader();
    const stop = () => void reader.cancel().catch(() => undefined);
    this.#signal.addEventListener("abort", stop);
    this.connected = true;
    changed(true);
    try {
      const buffer = new FrameBuffer();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || this.#signal.aborted) return;
        const frames = buffer.add(value);
        if (frames === "") continue;
        this.#lastId = lastIdIn(frames) ?? this.#lastId;
        await take(frames);
      }
    } finally {
      this.#signal.removeEventListener("abort", stop);
      stop();
    }
  }

  #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = () => resolve();
    const cancel = this.#ctx.setTimeout(stop, RETRY_MS);
    this.#signal.addEventListener("abort", stop);
    return promise.finally(() => {
      cancel();
      this.#signal.removeEventListener("abort", stop);
    });
  }
}
