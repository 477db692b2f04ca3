/**
 * Simulated connections of a test harness, which has no port: services observe disconnecting clients as on the
 * server.
 */

import { yieldToEventLoop } from "../event-loop.js";
import { connectionClosed, onHangUp } from "../streams.js";

/** How much is buffered for a client that does not read, in bytes. */
const BUFFERED_BYTES = 65_536;

const sizeOf = (chunk?: Uint8Array | string) =>
  typeof chunk === "string" ? chunk.length : (chunk?.byteLength ?? 0);

/** The open connections of a harness. */
export class Connections {
  /** Cuts connections that are still sending. */
  readonly #open = new Set<() => void>();

  /** Sends `request` to `serve`. The client disconnects when it aborts the request or cancels the reply's body. */
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

  /** Cuts all connections, as the end of a server does. */
  async end(): Promise<void> {
    for (const cut of this.#open) cut();
    // Cancellation propagates through chained streams step by step.
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
      // Errors while cancelling are ignored, as Bun does.
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
