/** Which replies of a generation are still on their way to a client? */
import type { Env } from "./serving.js";

const ends = new WeakMap<Response, Promise<unknown>>();

/**
 * Tells Reef when a streamed reply ends, for producers that know it themselves. Such a reply is passed on as it
 * is, whatever way it came in.
 */
export function announceEnd(response: Response, ended: Promise<unknown>): Response {
  ends.set(response, ended);
  return response;
}

interface Open {
  request: Request;
  server: Bun.Server<undefined>;
}

const FIRST_SWEEP = 64;

/**
 * JSON replies come from memory, nearly always, and are the ones that must cost nothing. Whoever waits for streams
 * finds the exceptions by counting: see `Dispatcher.unaccounted`.
 */
export const isJson = (response: Response): boolean =>
  response.headers.get("content-type")?.startsWith("application/json") === true;

/**
 * Keeps the requests whose replies may still be streaming. Bun has no event for the end of a reply, but a request
 * that is over has no peer address any more, so the list is swept when it has doubled and when somebody asks.
 */
export class StreamWatch {
  readonly #open = new Set<Open>();
  #announced = 0;
  #sweepAt = FIRST_SWEEP;

  /** Notes a reply that is about to be sent; returns the reply to send. */
  note(response: Response, request: Request, server: Env): Response {
    const known = ends.get(response);
    if (known) {
      this.#count(known);
      return response;
    }
    if (server) {
      this.#open.add({ request, server });
      if (this.#open.size >= this.#sweepAt) this.#sweep();
      return response;
    }
    return this.#watched(response);
  }

  /** Number of replies that are still being sent. */
  get size(): number {
    this.#sweep();
    return this.#open.size + this.#announced;
  }

  #count(ended: Promise<unknown>): void {
    this.#announced++;
    const over = () => {
      this.#announced--;
    };
    ended.then(over, over);
  }

  #sweep(): void {
    for (const open of this.#open) {
      if (open.server.requestIP(open.request) === null) this.#open.delete(open);
    }
    this.#sweepAt = Math.max(FIRST_SWEEP, this.#open.size * 2);
  }

  /** Inside the process there is no connection to look at: the body itself is watched. */
  #watched(response: Response): Response {
    if (response.headers.get("content-type")?.startsWith("text/event-stream") !== true) return response;
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#count(promise);
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            controller.enqueue(value);
            return;
          }
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        resolve();
      },
      cancel(reason) {
        resolve();
        return reader.cancel(reason);
      },
    });
    return new Response(body, response);
  }
}
