/** Which replies of a generation are still on their way to a client? */
import type { Env } from "./serving.js";

/** What the producer of a streamed reply says about its end. */
interface End {
  ended: Promise<unknown>;
  stop: (() => void) | undefined;
}

const ends = new WeakMap<Response, End>();

/**
 * Tells Reef when a streamed reply ends, for producers that know it themselves. Such a reply is passed on as it
 * is, whatever way it came in. `stop` ends a reply that would go on for ever: it is called when the service is
 * exchanged or the server stops, instead of waiting for the stream.
 */
export function announceEnd(response: Response, ended: Promise<unknown>, stop?: () => void): Response {
  ends.set(response, { ended, stop });
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
  readonly #stops = new Set<() => void>();
  #announced = 0;
  #sweepAt = FIRST_SWEEP;

  /** Notes a reply that is about to be sent; returns the reply to send. */
  note(response: Response, request: Request, server: Env): Response {
    const known = ends.get(response);
    if (known) {
      this.#count(known.ended, known.stop);
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

  /** Ends the replies whose producers can be told to; `call` runs each producer's code. */
  stop(call: (stop: () => void) => void): void {
    for (const stop of this.#stops) call(stop);
  }

  #count(ended: Promise<unknown>, stop?: () => void): void {
    this.#announced++;
    if (stop) this.#stops.add(stop);
    const over = () => {
      this.#announced--;
      if (stop) this.#stops.delete(stop);
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
    const { body, headers } = response;
    if (body === null || headers.get("content-type")?.startsWith("text/event-stream") !== true)
      return response;
    const reader = body.getReader();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#count(promise);
    const watched = new ReadableStream<Uint8Array>({
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
    return new Response(watched, response);
  }
}
