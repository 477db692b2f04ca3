/** A service's Hono app as Reef calls it: below its prefix, with Reef's replies where the author set none. */
import { type Context, Hono } from "hono";
import { errorReply, messageOf } from "./errors.js";
import { type JsonContext, jsonContextClass } from "./json-context.js";
import type { Scope } from "./scope.js";
import type { Env } from "./serving.js";
import type { ServiceModule } from "./types.js";

type Fetch = (request: Request, env: Env) => Response | Promise<Response>;
type Next = () => Promise<void>;
type Handler = (c: Context, next: Next) => unknown;

export interface MountedApp {
  fetch: Fetch;
  /** Finds the handler of a request that nothing else of the app has a part in; see {@link handlerFinder}. */
  find: FindHandler | undefined;
  /**
   * Finds out whether unknown routes are left to Reef, for who has a reply that looks like it; undefined once that is
   * known. To be called at the first request, not before: it would be a part of every start. Never rejects, but the
   * author's handler can keep it waiting.
   */
  learn: (() => Promise<boolean>) | undefined;
}

/** The reply for what no route answers. */
export const notFound = () => errorReply("NOT_FOUND");

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

/** The same, for a request that handlers have had a part in. */
export const notFoundIn = (c: Context) => withHeaders(notFound(), c.res.headers);

/** Whether a reply is what Hono says of unknown routes by itself. */
export async function looksUnknown(reply: Response): Promise<boolean> {
  if (reply.status !== 404 || !reply.headers.get("content-type")?.startsWith("text/plain")) return false;
  return (await reply.clone().text()) === "404 Not Found";
}

/** A route's only handler, and the context to call it with. */
export interface Found {
  handler: Handler;
  context: JsonContext;
  next: Next;
}

export type FindHandler = (request: Request, env: Env) => Found | undefined;

/** A clone of the service's app, so that the author's own tests see no difference. */
export function mountApp(
  module: ServiceModule,
  scope: Scope,
  fail: (error: unknown, request: Request) => Response,
): MountedApp {
  const app = module.routes as Hono;
  const mounted = app.basePath("/");
  const inner = app.getPath;
  if (!module.mountAtRoot) {
    const prefix = module.name.length + 1;
    // Read-only in the types only: Hono takes it as a constructor option.
    Object.defineProperty(mounted, "getPath", {
      value: (request: Request, options?: { env?: unknown }) => inner(request, options).slice(prefix) || "/",
    });
  }
  const failsPlainly = hasDefaultErrorHandler(app);
  if (failsPlainly) mounted.onError((error, c) => withHeaders(fail(error, c.req.raw), c.res.headers));
  const isHonosOwn =
    app instanceof Hono &&
    plainGetPaths.includes(inner) &&
    app.router.constructor === plain.router.constructor;
  const learn = async () => {
    const isDefault = await hasDefaultNotFound(app, scope);
    if (isDefault) mounted.notFound(notFoundIn);
    if (isDefault && failsPlainly && isHonosOwn) result.find = handlerFinder(mounted);
    result.learn = undefined;
    return isDefault;
  };
  let learning: Promise<boolean> | undefined;
  const result: MountedApp = {
    fetch: mounted.fetch as Fetch,
    find: undefined,
    learn: () => {
      learning ??= learn();
      return learning;
    },
  };
  return result;
}

const plain = new Hono();
const plainGetPaths = [plain.getPath, new Hono({ strict: false }).getPath];

let contextClass: ReturnType<typeof jsonContextClass> | undefined;

/** Hono exports the type of its context only. */
function ownContext(): typeof contextClass {
  if (contextClass) return contextClass;
  const app = new Hono().notFound((c) => {
    contextClass = jsonContextClass(c.constructor as typeof Context);
    return c.body(null);
  });
  void app.fetch(new Request("http://localhost/"));
  return contextClass;
}

/**
 * Most requests are for a route that has one handler. Calling that ourselves spares what Hono puts around it: two
 * promises where it is asynchronous (0.4 µs of the 3 µs that a small POST costs). Only for apps that leave errors and
 * unknown routes to Reef; nothing of the author's runs here.
 */
function handlerFinder(app: Hono): FindHandler | undefined {
  const OwnContext = ownContext();
  if (!OwnContext) return undefined;
  return (request, env) => {
    const { method } = request;
    if (method === "HEAD") return undefined;
    const path = app.getPath(request);
    const matchResult = app.router.match(method, path);
    const matches = matchResult[0];
    if (matches.length !== 1) return undefined;
    const handler = matches[0]?.[0][0] as unknown as Handler;
    const context = new OwnContext(request, { path, matchResult, env, notFoundHandler: notFoundIn });
    // For middleware alone, after which nothing follows.
    const next = async () => {
      context.res = notFoundIn(context);
    };
    return { handler, context, next };
  };
}

interface HonoInternals {
  errorHandler: unknown;
  router: { match(method: string, path: string): unknown };
}

function hasDefaultErrorHandler(app: Hono): boolean {
  const handler = (app as unknown as HonoInternals).errorHandler;
  if (handler === (plain as unknown as HonoInternals).errorHandler) return true;
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
    return await looksUnknown(reply);
  } catch (error) {
    scope.log.debug(
      `the app's own not-found handler failed when asked outside a request: ${messageOf(error)}`,
    );
    return false;
  }
}
