/** The reply for paths to which a service has no route. */
import type { Context, Hono } from "hono";
import { ERRORS, errorReply } from "../errors.js";
import { isJson } from "../streams.js";

/** Answers a request that no route of an app matches. */
export type NotFoundHandler = (c: Context) => Response | Promise<Response>;

/** Headers that describe a specific body. */
const OF_BODY = new Set(["content-encoding", "content-length", "content-range", "content-type"]);

/** Adds the headers that were set on the context for any reply, as Hono does for its own. */
export function withHeaders(reply: Response, headers: Headers): Response {
  const set = [...headers].filter(([name]) => !OF_BODY.has(name) && !reply.headers.has(name));
  if (set.length === 0) return reply;
  // The headers of a reply that was made elsewhere may not be changeable.
  const whole = new Response(reply.body, reply);
  for (const [name, value] of set) whole.headers.append(name, value);
  return whole;
}

/** Whether a reply is Reef's default not-found reply. */
export async function isDefaultNotFound(reply: Response): Promise<boolean> {
  if (reply.status !== ERRORS.NOT_FOUND.status || !isJson(reply)) return false;
  return (await reply.clone().text()) === JSON.stringify({ error: ERRORS.NOT_FOUND.message });
}

/** The arguments of Hono's default not-found reply. */
const HONO_NOT_FOUND = ["404 Not Found", 404] as const;

/**
 * The author's not-found handler, or Reef's reply if there is none. Hono keeps the handler private, so it is
 * called through a clone of the app without routes.
 */
export function notFoundHandlerOf(app: Hono): NotFoundHandler {
  let ask: ((standIn: StandIn) => Response | Promise<Response>) | undefined;
  return (c) => {
    // Created on demand, to keep it out of the start.
    ask ??= notFoundCaller(app);
    const standIn = new StandIn(c);
    const reply = ask(standIn);
    return reply instanceof Promise
      ? reply.then((settled) => standIn.replyFor(settled))
      : standIn.replyFor(reply);
  };
}

function notFoundCaller(app: Hono): (standIn: StandIn) => Response | Promise<Response> {
  const asked = app.basePath("/");
  let asking: StandIn | undefined;
  const route = [(own: Context) => asking?.become(own), {}];
  const router = { match: () => [[[route, {}]]] };
  Object.defineProperties(asked, { getPath: { value: () => "/" }, router: { value: router } });
  // Errors of the author's handler propagate to the caller.
  asked.onError((error) => {
    throw error;
  });
  return (standIn) => {
    asking = standIn;
    return asked.fetch(ANY);
  };
}

const ANY = new Request("http://localhost/");

/** Makes the context that Hono creates for the clone delegate to the request's own context. */
class StandIn {
  readonly #c: Context;
  #honos: Response | undefined;

  constructor(c: Context) {
    this.#c = c;
  }

  become(own: Context): void {
    const members = this.#c as unknown as Record<string, unknown>;
    const keys = [...Object.keys(own), ...Object.getOwnPropertyNames(Object.getPrototypeOf(own))];
    for (const key of keys) {
      if (key === "constructor") continue;
      Object.defineProperty(own, key, {
        configurable: true,
        get: () => members[key],
        set: (value: unknown) => {
          members[key] = value;
        },
      });
    }
    Object.defineProperty(own, "text", { value: this.#text });
  }

  #text = (...args: Parameters<Context["text"]>): Response => {
    const reply = this.#c.text(...args);
    if (args.length === HONO_NOT_FOUND.length && HONO_NOT_FOUND.every((one, at) => one === args[at]))
      this.#honos = reply;
    return reply;
  };

  replyFor(reply: Response): Response {
    return reply === this.#honos ? withHeaders(errorReply("NOT_FOUND"), this.#c.res.headers) : reply;
  }
}
