/** Which replies of a generation are still on their way to a client? */
import type { Env } from "./dispatch/serving.js";

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

const hangUps = new WeakMap<Request, () => void>();

/** Says what ends the connection of a request made inside the process, where Bun has none. */
export function onHangUp(request: Request, hangUp: () => void): void {
  hangUps.set(request, hangUp);
}

/** With what Bun aborts requests, and cancels their replies, when a connection has ended. */
export const connectionClosed = () => new DOMException("The connection was closed.", "AbortError");

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Whether whoever answers a request may store something for it. */
export const mayWrite = ({ method }: Request): boolean => !SAFE_METHODS.has(method);

interface Open {
  request: Request;
  server: Bun.Server<undefined>;
  endless: boolean;
}

const FIRST_SWEEP = 64;

/** How often it is looked whether streams have ended, in milliseconds. */
export const STREAM_POLL_MS = 20;

/**
 * JSON replies come from memory, nearly always, and are the ones that must cost nothing. Whoever waits for streams
 * finds the exceptions by counting: see `Dispatcher.unaccounted`.
 */
export const isJson = (response: Response): boolean =>
  response.headers.get("content-type")?.startsWith("application/json") === true;

/** An event stream goes on until one side leaves; other replies come to an end by themselves. */
const isEndless = (response: Response): boolean =>
  response.headers.get("content-type")?.startsWith("text/event-stream") === true;

/**
 * Keeps the requests whose replies may still be streaming. Bun has no event for the end of a reply, but a request
 * that is over has no peer address any more, so the list is swept when it has doubled and when somebody asks.
 */
export class StreamWatch {
  readonly #open = new Set<Open>();
  /** Ends of replies that are read inside the process. */
  readonly #closers = new Set<() => void>();
  /** How replies end whose producers can be told to. */
  readonly #stops = new Set<() => void>();
  #announced = 0;
  #announcedEndless = 0;
  #announcedWriting = 0;
  #sweepAt = FIRST_SWEEP;

  /** Notes a reply that is about to be sent; returns the reply to send. */
  note(response: Response, request: Request, server: Env): Response {
    const known = ends.get(response);
    if (known) {
      this.#count(known.ended, isEndless(response), known.stop, mayWrite(request));
      return response;
    }
    if (server) {
      this.#open.add({ request, server, endless: isEndless(response) });
      if (this.#open.size >= this.#sweepAt) this.#sweep();
      return response;
    }
    return isEndless(response) ? this.#watched(response, hangUps.get(request)) : response;
  }

  /** Number of replies that are still being sent. */
  get size(): number {
    this.#sweep();
    return this.#open.size + this.#announced;
  }

  /** Number of those that come to an end without somebody leaving: all but event streams. */
  get finite(): number {
    let endless = this.#announcedEndless;
    const all = this.size;
    for (const open of this.#open) if (open.endless) endless++;
    return all - endless;
  }

  /** Number of those in whose course something may be stored: replies to all but GET, HEAD and OPTIONS. */
  get writing(): number {
    this.#sweep();
    const open = [...this.#open].filter(({ endless, request }) => !endless && mayWrite(request));
    return open.length + this.#announcedWriting;
  }

  /** Resolves with `true` when nothing may be stored that way any more, with `false` after `ms` milliseconds. */
  async whenWritten(ms: number): Promise<boolean> {
    const deadline = Date.now() + ms;
    while (this.writing > 0) {
      if (Date.now() >= deadline) return false;
      await Bun.sleep(STREAM_POLL_MS);
    }
    return true;
  }

  /** Ends what is left. For when the code that would go on sending is gone: its clients would wait for ever. */
  end(): void {
    this.#sweep();
    // There is no way to end another's reply but to let its connection time out.
    for (const { request, server } of this.#open) server.timeout(request, 1);
    for (const close of this.#closers) close();
  }

  /** Ends the replies whose producers can be told to; `call` runs each producer's code. */
  stop(call: (stop: () => void) => void): void {
    for (const stop of this.#stops) call(stop);
  }

  #count(ended: Promise<unknown>, endless: boolean, stop?: () => void, writes = false): void {
    const isWriting = writes && !endless;
    this.#announced++;
    if (endless) this.#announcedEndless++;
    if (isWriting) this.#announcedWriting++;
    if (stop) this.#stops.add(stop);
    const over = () => {
      this.#announced--;
      if (endless) this.#announcedEndless--;
      if (isWriting) this.#announcedWriting--;
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
  #watched(response: Response, hangUp?: () => void): Response {
    if (response.body === null) return response;
    const reader = response.body.getReader();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#count(promise, true);
    let close: () => void = () => undefined;
    const over = () => {
      this.#closers.delete(close);
      resolve();
    };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        close = () => {
          over();
          controller.close();
          hangUp?.();
          // What it throws is nobody's: Bun, which ends replies to others that way, says nothing either.
          reader.cancel(connectionClosed()).catch(() => undefined);
        };
        this.#closers.add(close);
      },
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
        over();
      },
      cancel(reason) {
        over();
        return reader.cancel(reason);
      },
    });
    return new Response(body, response);
  }
}
