/** What is answered where a service has no route. */
import type { Context, Hono } from "hono";
import { ERRORS, errorReply } from "../errors.js";
import { isJson } from "../streams.js";

/** Answers a request that no route of an app answers. */
export type Unknown = (c: Context) => Response | Promise<Response>;

/** Headers that speak of one body only. */
const OF_BODY = new Set(["content-encoding", "content-length", "content-range", "content-type"]);

/** A reply of Reef's with the headers that were set for whatever reply would come, as Hono's own would have. */
export function withHeaders(reply: Response, headers: Headers): Response {
  const set = [...headers].filter(([name]) => !OF_BODY.has(name) && !reply.headers.has(name));
  if (set.length === 0) return reply;
  // The headers of a reply that was made elsewhere may not be changeable.
  const whole = new Response(reply.body, reply);
  for (const [name, value] of set) whole.headers.append(name, value);
  return whole;
}

/** Whether a reply is the one that is given where nobody has said what to answer. */
export async function saysNotFound(reply: Response): Promise<boolean> {
  if (reply.status !== ERRORS.NOT_FOUND.status || !isJson(reply)) return false;
  return (await reply.clone().text()) === JSON.stringify({ error: ERRORS.NOT_FOUND.message });
}

/** What Hono says of unknown routes by itself. */
const HONOS = ["404 Not Found", 404] as const;

/**
 * What the author has said to answer, or Reef's reply where that is nothing. Hono keeps the handler to itself, so a
 * clone without routes is asked.
 */
export function unknownOf(app: Hono): Unknown {
  let ask: ((standIn: StandIn) => Response | Promise<Response>) | undefined;
  return (c) => {
    // Not before somebody needs it: it would be a part of every start.
    ask ??= askerOf(app);
    const standIn = new StandIn(c);
    const reply = ask(standIn);
    return reply instanceof Promise
      ? reply.then((settled) => standIn.replyFor(settled))
      : standIn.replyFor(reply);
  };
}

function askerOf(app: Hono): (standIn: StandIn) => Response | Promise<Response> {
  const asked = app.basePath("/");
  let asking: StandIn | undefined;
  const route = [(own: Context) => asking?.become(own), {}];
  const router = { match: () => [[[route, {}]]] };
  Object.defineProperties(asked, { getPath: { value: () => "/" }, router: { value: router } });
  // What the author's handler throws is thrown where it is called.
  asked.onError((error) => {
    throw error;
  });
  return (standIn) => {
    asking = standIn;
    return asked.fetch(ANY);
  };
}

const ANY = new Request("http://localhost/");

/** Has the context that Hono makes for the clone do what the request's own does. */
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
    if (args.length === HONOS.length && HONOS.every((one, at) => one === args[at])) this.#honos = reply;
    return reply;
  };

  replyFor(reply: Response): Response {
    return reply === this.#honos ? withHeaders(errorReply("NOT_FOUND"), this.#c.res.headers) : reply;
  }
}
