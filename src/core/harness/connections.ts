/** Connections of a test harness, which has no port: what services see of clients that go is as on the server. */

import { yieldToEventLoop } from "../event-loop.js";
import { connectionClosed, onHangUp } from "../streams.js";

/** What is under way to a client that reads nothing, in bytes. */
const BUFFERED_BYTES = 65_536;

const sizeOf = (chunk?: Uint8Array | string) =>
  typeof chunk === "string" ? chunk.length : (chunk?.byteLength ?? 0);

export class Connections {
  /** How those end that still have something to send. */
  readonly #open = new Set<() => void>();

  /** Sends `request` to `serve`. When it is aborted, or the reply's body cancelled, the client is gone. */
  async fetch(
    request: Request,
    serve: (request: Request) => Response | Promise<Response>,
  ): Promise<Response> {
    const hungUp = new AbortController();
    const signal = AbortSignal.any([request.signal, hungUp.signal]);
    const sent = new Request(request, { signal });
    onHangUp(sent, () => hungUp.abort(connectionClosed()));
    const reply = await serve(sent);
    return reply.body ? new Response(this.#connected(reply.body, signal, hungUp), reply) : reply;
  }

  /** Cuts all of them off, as the end of a server does. */
  async end(): Promise<void> {
    for (const cut of this.#open) cut();
    // Streams behind other streams hear of it one by one.
    await yieldToEventLoop();
  }

  #connected(source: ReadableStream, signal: AbortSignal, hungUp: AbortController): ReadableStream {
    const reader = source.getReader();
    const cut = () => hungUp.abort(connectionClosed());
    this.#open.add(cut);
    const over = () => {
      this.#open.delete(cut);
      signal.removeEventListener("abort", gone);
    };
    let fail: (reason: unknown) => void = () => undefined;
    const gone = () => {
      over();
      fail(signal.reason);
      // What it throws is nobody's: Bun says nothing either.
      reader.cancel(connectionClosed()).catch(() => undefined);
    };
    const start = (controller: ReadableStreamDefaultController) => {
      fail = (reason) => controller.error(reason);
      if (signal.aborted) gone();
      else signal.addEventListener("abort", gone);
    };
    const pull = async (controller: ReadableStreamDefaultController) => {
      try {
        const { done, value } = await reader.read();
        if (signal.aborted) return;
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      over();
    };
    return new ReadableStream({ start, pull, cancel: cut }, { highWaterMark: BUFFERED_BYTES, size: sizeOf });
  }
}
