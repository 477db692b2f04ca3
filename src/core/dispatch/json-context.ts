/** The context passed to handlers: like Hono's, but builds JSON replies with all their headers in one step. */
import type { Context } from "hono";

/** Prevents content sniffing. Every reply of Reef carries it. */
export const NOSNIFF = ["x-content-type-options", "nosniff"] as const;

/** Hono's context. `ready` is the reply of `c.json` if nothing else has been set on it. */
export type JsonContext = Context & { ready: Response | undefined };

type HonoContext = typeof Context;
type Given = ConstructorParameters<HonoContext>;
type Members = Record<string, unknown>;
type Respond = (object: unknown, arg?: unknown, headers?: unknown) => Response;

// Symbols instead of private fields, so that wrappers of the context, such as a `Proxy`, work as with Hono's.
const REQUEST = Symbol("request");
const OPTIONS = Symbol("options");
const HONO_REQUEST = Symbol("c.req");
const HONO_CONTEXT = Symbol("Hono's context");
const RESPOND = Symbol("c.json");

/**
 * Creates the context class. Hono's constructor creates fifteen functions, of which most handlers use one; here
 * a Hono context is created only when something else is used, and delegated to. Adding a header to a finished
 * reply costs more than creating the reply with it (0.5 µs of the 3 µs that a small POST costs).
 */
export function jsonContextClass(Hono: HonoContext): new (...given: Given) => JsonContext {
  const sample = new Hono(new Request("http://localhost/"));
  const HonoRequest = sample.req.constructor as new (
    request: Request,
    path?: string,
    matchResult?: unknown,
  ) => Context["req"];

  class JsonOnly {
    ready: Response | undefined = undefined;
    [REQUEST]: Request;
    [OPTIONS]: Given[1];
    [HONO_REQUEST]: Context["req"] | undefined = undefined;
    [HONO_CONTEXT]: Context | undefined = undefined;
    [RESPOND]: Respond | undefined = undefined;

    constructor(...[request, options]: Given) {
      this[REQUEST] = request;
      this[OPTIONS] = options;
    }

    get req(): Context["req"] {
      const options = this[OPTIONS];
      this[HONO_REQUEST] ??= new HonoRequest(this[REQUEST], options?.path, options?.matchResult);
      return this[HONO_REQUEST];
    }

    get env(): unknown {
      const options = this[OPTIONS];
      return options && this[HONO_CONTEXT] === undefined ? options.env : honoContext(this).env;
    }

    get finalized(): boolean {
      return this[HONO_CONTEXT]?.finalized ?? false;
    }

    /** Bound, like Hono's. */
    get json(): Respond {
      this[RESPOND] ??= (object, arg, headers) => {
        const init = this[HONO_CONTEXT] === undefined && headers === undefined ? initFor(arg) : undefined;
        if (!init) return (honoContext(this).json as Respond)(object, arg, headers);
        this.ready = new Response(JSON.stringify(object), init);
        return this.ready;
      };
      return this[RESPOND];
    }

    set json(value: Respond) {
      this[RESPOND] = value;
    }
  }

  function honoContext(context: JsonOnly): Context & Members {
    context[HONO_CONTEXT] ??= new Hono(context[REQUEST], context[OPTIONS]);
    return context[HONO_CONTEXT] as Context & Members;
  }

  for (const key of [...Object.keys(sample), ...Object.getOwnPropertyNames(Hono.prototype)]) {
    if (key === "constructor") continue;
    const own = Object.getOwnPropertyDescriptor(JsonOnly.prototype, key);
    Object.defineProperty(JsonOnly.prototype, key, {
      get:
        own?.get ??
        function (this: JsonOnly) {
          return honoContext(this)[key];
        },
      set:
        own?.set ??
        function (this: JsonOnly, value: unknown) {
          (honoContext(this) as Members)[key] = value;
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

/** The `ResponseInit` of a reply for which `c.json` was given no second argument, or a status only. */
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
