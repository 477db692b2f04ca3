/** Tracks which replies of a generation are still being sent. */
import type { Env } from "./dispatch/serving.js";

/** The end of a streamed reply, as announced by its producer. */
interface End {
  ended: Promise<unknown>;
  stop: (() => void) | undefined;
}

const announcedEnds = new WeakMap<Response, End>();

/**
 * Tells Reef when a streamed reply ends, for producers that know it themselves. Such a reply is passed on
 * unchanged. `stop` ends a reply that would otherwise go on for ever: it is called, instead of waiting for the
 * stream, when the service is exchanged or the server stops.
 *
 * @example
 * const done = Promise.withResolvers<void>();
 * return announceEnd(new Response(stream), done.promise, () => stream.cancel());
 */
export function announceEnd(response: Response, ended: Promise<unknown>, stop?: () => void): Response {
  announcedEnds.set(response, { ended, stop });
  return response;
}

const hangUps = new WeakMap<Request, () => void>();

/** Sets what closes the connection of a request made inside the process, where Bun has none. */
export function onHangUp(request: Request, hangUp: () => void): void {
  hangUps.set(request, hangUp);
}

/** The error with which Bun aborts requests, and cancels their replies, when a connection is closed. */
export const connectionClosed = () => new DOMException("The connection was closed.", "AbortError");

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Whether handling a request may write: all methods but GET, HEAD and OPTIONS. */
export const mayWrite = ({ method }: Request): boolean => !SAFE_METHODS.has(method);

interface Open {
  request: Request;
  server: Bun.Server<undefined>;
  endless: boolean;
}

const FIRST_SWEEP = 64;

/** The poll interval for ended streams, in milliseconds. */
export const STREAM_POLL_MS = 20;

/**
 * Whether a reply is JSON. JSON nearly always comes from memory and is not tracked, to cost nothing; the
 * exceptions are found by counting, see `Dispatcher.untrackedReplies`.
 */
export const isJson = (response: Response): boolean =>
  response.headers.get("content-type")?.startsWith("application/json") === true;

/** Whether a reply is an event stream, which goes on until one side disconnects. */
const isEndless = (response: Response): boolean =>
  response.headers.get("content-type")?.startsWith("text/event-stream") === true;

/**
 * Tracks requests whose replies may still be streaming. Bun has no event for the end of a reply, but a finished
 * request has no peer address any more; the list is swept when it has doubled and when it is read.
 */
export class StreamWatch {
  readonly #open = new Set<Open>();
  /** Closes replies that are read inside the process. */
  readonly #closers = new Set<() => void>();
  /** Stops replies whose producers support it. */
  readonly #stops = new Set<() => void>();
  #announced = 0;
  #announcedEndless = 0;
  #announcedWriting = 0;
  #sweepAt = FIRST_SWEEP;

  /** Tracks a reply that is about to be sent; returns the reply to send. */
  note(response: Response, request: Request, server: Env): Response {
    const known = announcedEnds.get(response);
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

  /** The number of replies still being sent. */
  get size(): number {
    this.#sweep();
    return this.#open.size + this.#announced;
  }

  /** The number of those that end by themselves: all but event streams. */
  get finite(): number {
    let endless = this.#announcedEndless;
    const all = this.size;
    for (const open of this.#open) if (open.endless) endless++;
    return all - endless;
  }

  /** The number of those that may still write: replies to all methods but GET, HEAD and OPTIONS. */
  get writing(): number {
    this.#sweep();
    const open = [...this.#open].filter(({ endless, request }) => !endless && mayWrite(request));
    return open.length + this.#announcedWriting;
  }

  /** Resolves with true when no reply may write any more, with false after `ms` milliseconds. */
  async whenWritten(ms: number): Promise<boolean> {
    const deadline = Date.now() + ms;
    while (this.writing > 0) {
      if (Date.now() >= deadline) return false;
      await Bun.sleep(STREAM_POLL_MS);
    }
    return true;
  }

  /** Ends the remaining replies. Call it when their code is gone: clients would wait for ever. */
  end(): void {
    this.#sweep();
    // The only way to end such a reply is to let its connection time out.
    for (const { request, server } of this.#open) server.timeout(request, 1);
    for (const close of this.#closers) close();
  }

  /** Stops replies whose producers support it; `call` runs each producer's function. */
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

  /** Inside the process there is no connection to observe, so the body is. */
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
          // Errors while cancelling are ignored, as Bun does when it ends replies.
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
