/** The HTTP side of one generation: its Hono app, its request counters, its open streams. */
import { Hono } from "hono";
import type { HTTPException } from "hono/http-exception";
import { errorReply, messageOf, ReefError } from "./errors.js";
import type { Logger } from "./log.js";
import type { Scope } from "./scope.js";
import { StorageError } from "./storage-error.js";
import { isJson, StreamWatch } from "./streams.js";
import type { ServiceModule } from "./types.js";

/** Bun's server when the request came over the network; undefined inside the process. */
export type Env = Bun.Server<undefined> | undefined;

type Fetch = (request: Request, env: Env) => Response | Promise<Response>;

/** What the dispatcher does for every service. */
export interface ServingHooks {
  /** Called with every error a handler threw; returns the reply. */
  failed(error: unknown, request: Request, service: string, log?: Logger): Response;
  /** Called once with every reply, the service's own or not; returns the reply to send. */
  complete(reply: Response, request: Request, json?: boolean): Response;
}

/** An asynchronous handler that has not returned. */
interface Pending {
  request: Request;
  resolve(reply: Response): void;
}

/** Answers a service's requests in its own context and counts them. */
export class Serving {
  /** Requests whose handler has not returned. */
  active = 0;
  served = 0;
  errors = 0;
  readonly streams = new StreamWatch();
  readonly #scope: Scope;
  readonly #fetch: Fetch | undefined;
  readonly #hooks: ServingHooks;
  readonly #pending = new Set<Pending>();
  /** Called after each handler, while somebody waits for them. */
  #onReturn: (() => void) | undefined;

  private constructor(scope: Scope, fetch: Fetch | undefined, hooks: ServingHooks) {
    this.#scope = scope;
    this.#fetch = fetch;
    this.#hooks = hooks;
  }

  static async create(module: ServiceModule, scope: Scope, hooks: ServingHooks): Promise<Serving> {
    const serving: Serving = new Serving(
      scope,
      module.routes && (await mountApp(module, scope, (error, request) => serving.#fail(error, request))),
      hooks,
    );
    return serving;
  }

  get hasRoutes(): boolean {
    return this.#fetch !== undefined;
  }

  /** Answers one request. Never throws and never rejects. */
  handle(request: Request, env: Env): Response | Promise<Response> {
    if (!this.#fetch) return this.#hooks.complete(errorReply("NOT_FOUND"), request);
    this.served++;
    this.active++;
    let result: Response | Promise<Response>;
    try {
      result = this.#scope.run(this.#fetch, request, env);
    } catch (error) {
      return this.#finish(this.#fail(error, request), request, env);
    }
    return result instanceof Promise ? this.#later(result, request, env) : this.#finish(result, request, env);
  }

  /** A handler whose code is gone never settles, so its reply is ours to give; see {@link abandon}. */
  #later(result: Promise<Response>, request: Request, env: Env): Promise<Response> {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const pending: Pending = { request, resolve };
    this.#pending.add(pending);
    const settle = (reply: Response) => {
      if (this.#pending.delete(pending)) resolve(this.#finish(reply, request, env));
    };
    result.then(settle, (error) => settle(this.#fail(error, request)));
    return promise;
  }

  /** Answers 503 to everybody whose handler has not returned. For when its code is about to go. */
  abandon(): void {
    for (const { request, resolve } of this.#pending) {
      this.active--;
      resolve(this.#hooks.complete(errorReply("BUSY"), request));
    }
    this.#pending.clear();
    this.#onReturn?.();
  }

  #finish(response: Response, request: Request, env: Env): Response {
    this.active--;
    this.#onReturn?.();
    const reply = response instanceof Response ? response : this.#noReply(response, request);
    const json = isJson(reply);
    return this.#hooks.complete(json ? reply : this.streams.note(reply, request, env), request, json);
  }

  #noReply(value: unknown, request: Request): Response {
    return this.#fail(new TypeError(`the handler returned ${typeof value} instead of a Response`), request);
  }

  #fail(error: unknown, request: Request): Response {
    if (isHttpException(error) && error.status < 500) {
      return (
        error.res ?? Response.json({ error: error.message || "request refused" }, { status: error.status })
      );
    }
    if (error instanceof StorageError && error.code === "STORAGE_FULL") {
      this.#scope.log.error(error.message);
      return errorReply("STORAGE_FULL");
    }
    if (error instanceof ReefError) return errorReply(error.code, error.message);
    if (isTooLarge(error)) return errorReply("BODY_TOO_LARGE");
    if (isAbort(error) && request.signal.aborted) return errorReply("BAD_REQUEST", "the client went away");
    this.errors++;
    return this.#hooks.failed(error, request, this.#scope.service, this.#scope.log);
  }

  /**
   * Resolves with `true` when at most `except` handlers are running, with `false` after `ms` milliseconds.
   * A service that waits here from within one of its own requests leaves that one out.
   */
  async whenIdle(ms: number, except = 0): Promise<boolean> {
    if (this.active <= except) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), ms);
    this.#onReturn = () => {
      if (this.active <= except) resolve(true);
    };
    const idle = await promise;
    clearTimeout(timer);
    this.#onReturn = undefined;
    return idle;
  }
}

/** By shape, since a service may bring a Hono of its own. */
function isHttpException(error: unknown): error is HTTPException {
  return error instanceof Error && "getResponse" in error && "status" in error;
}

/** What reading a body throws that was sent in chunks and outgrew the limit. */
function isTooLarge(error: unknown): boolean {
  return error instanceof Error && error.message === "Request body exceeded maxRequestBodySize";
}

/** What reading a body throws when the client has closed the connection. */
function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** A clone of the service's app with Reef's defaults, where the author has not set their own. */
async function mountApp(
  module: ServiceModule,
  scope: Scope,
  fail: (error: unknown, request: Request) => Response,
): Promise<Fetch> {
  const app = module.routes as Hono;
  const mounted = app.basePath("/");
  if (!module.mountAtRoot) {
    const prefix = module.name.length + 1;
    const inner = app.getPath;
    // Read-only in the types only: Hono takes it as a constructor option.
    Object.defineProperty(mounted, "getPath", {
      value: (request: Request, options?: { env?: unknown }) => inner(request, options).slice(prefix) || "/",
    });
  }
  if (hasDefaultErrorHandler(app)) mounted.onError((error, c) => fail(error, c.req.raw));
  if (await hasDefaultNotFound(app, scope)) mounted.notFound(() => errorReply("NOT_FOUND"));
  return mounted.fetch as Fetch;
}

interface HonoInternals {
  errorHandler: unknown;
  router: { match(method: string, path: string): unknown };
}

function hasDefaultErrorHandler(app: Hono): boolean {
  const handler = (app as unknown as HonoInternals).errorHandler;
  if (handler === (new Hono() as unknown as HonoInternals).errorHandler) return true;
  // A service with a Hono of its own in node_modules has another default.
  return (
    typeof handler === "function" &&
    handler.name === "errorHandler" &&
    /Internal Server Error/.test(String(handler))
  );
}

/** Asks a clone without routes: what it answers comes from the not-found handler alone. */
async function hasDefaultNotFound(app: Hono, scope: Scope): Promise<boolean> {
  const probe = app.basePath("/");
  (probe as unknown as HonoInternals).router = { match: () => [[]] };
  try {
    const reply = await scope.outlive(
      Promise.resolve(scope.run(probe.fetch, new Request("http://localhost/"))),
    );
    return reply.status === 404 && (await reply.text()) === "404 Not Found";
  } catch (error) {
    scope.log.debug(
      `the app's own not-found handler failed when asked outside a request: ${messageOf(error)}`,
    );
    return false;
  }
}
