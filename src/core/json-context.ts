/** The context that handlers get: it is Hono's, but makes JSON replies by itself, with all their headers at once. */
import type { Context } from "hono";

/** A reply keeps browsers from guessing what it is. Every reply of Reef carries it. */
export const NOSNIFF = ["x-content-type-options", "nosniff"] as const;

/** Hono's context; `ready` is the reply that `c.json` made, when nothing else has been said about it. */
export type JsonContext = Context & { ready: Response | undefined };

type HonoContext = typeof Context;
type Given = ConstructorParameters<HonoContext>;
type Members = Record<string, unknown>;
type Respond = (object: unknown, arg?: unknown, headers?: unknown) => Response;

/**
 * The class of those contexts. Hono makes sixteen functions for each of its own, of which most handlers use one; here
 * one of Hono's is made when something else is asked for, and does it (0.5 µs of the 3 µs that a small POST costs).
 * Adding a header to a reply that has been made costs more than making it with that header, as much again.
 */
export function jsonContextClass(Hono: HonoContext): new (...given: Given) => JsonContext {
  const sample = new Hono(new Request("http://localhost/"));
  const HonoRequest = sample.req.constructor as new (
    request: Request,
    path?: string,
    matchResult?: unknown,
  ) => Context["req"];

  /** Does what the context that handlers have does not do by itself. */
  class Whole extends Hono {
    readonly #of: JsonOnly;

    constructor(of: JsonOnly, ...given: Given) {
      super(...given);
      this.#of = of;
    }

    override get req() {
      return this.#of.req;
    }
  }

  class JsonOnly {
    ready: Response | undefined = undefined;
    readonly #request: Request;
    readonly #options: Given[1];
    #req: Context["req"] | undefined = undefined;
    #whole: Whole | undefined = undefined;

    constructor(request: Request, options?: Given[1]) {
      this.#request = request;
      this.#options = options;
    }

    get whole(): Whole {
      this.#whole ??= new Whole(this, this.#request, this.#options);
      return this.#whole;
    }

    get req(): Context["req"] {
      this.#req ??= new HonoRequest(this.#request, this.#options?.path, this.#options?.matchResult);
      return this.#req;
    }

    get finalized(): boolean {
      return this.#whole?.finalized ?? false;
    }

    /** A function that needs no `this`, as Hono's. */
    get json(): Respond {
      return (object, arg, headers) => {
        const init = this.#whole === undefined && headers === undefined ? initFor(arg) : undefined;
        if (!init) return (this.whole.json as Respond)(object, arg, headers);
        this.ready = new Response(JSON.stringify(object), init);
        return this.ready;
      };
    }

    /** What is put in its place may call it. */
    set json(value: Respond) {
      Object.defineProperty(this, "json", { value, writable: true, enumerable: true, configurable: true });
    }
  }

  for (const key of [...Object.keys(sample), ...Object.getOwnPropertyNames(Hono.prototype)]) {
    if (key === "constructor") continue;
    const own = Object.getOwnPropertyDescriptor(JsonOnly.prototype, key);
    Object.defineProperty(JsonOnly.prototype, key, {
      get:
        own?.get ??
        function (this: JsonOnly) {
          return (this.whole as unknown as Members)[key];
        },
      set:
        own?.set ??
        function (this: JsonOnly, value: unknown) {
          (this.whole as unknown as Members)[key] = value;
        },
    });
  }
  Object.setPrototypeOf(JsonOnly.prototype, Hono.prototype);
  return JsonOnly as unknown as new (
    ...given: Given
  ) => JsonContext;
}

const headers = new Headers({ "content-type": "application/json", [NOSNIFF[0]]: NOSNIFF[1] });
const plain: ResponseInit = { headers };
const byStatus = new Map<number, ResponseInit>();

/** What a reply is made with when `c.json` is told nothing, or a status alone. */
function initFor(arg: unknown): ResponseInit | undefined {
  if (arg === undefined) return plain;
  if (typeof arg !== "number") return undefined;
  let init = byStatus.get(arg);
  if (!init) {
    init = { headers, status: arg };
    byStatus.set(arg, init);
  }
  return init;
}
