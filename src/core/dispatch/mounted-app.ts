/** A service's Hono app as Reef calls it: below its prefix, with Reef's replies where the author set none. */
import { type Context, Hono } from "hono";
import type { ServiceModule } from "../types.js";
import { type JsonContext, jsonContextClass } from "./json-context.js";
import type { Env } from "./serving.js";
import { type NotFoundHandler, notFoundHandlerOf, withHeaders } from "./unknown-route.js";

type Fetch = (request: Request, env: Env) => Response | Promise<Response>;
type Next = () => Promise<void>;
type Handler = (c: Context, next: Next) => unknown;

export interface MountedApp {
  fetch: Fetch;
  /** Finds the handler of a request that nothing else of the app has a part in; see {@link handlerFinder}. */
  find: FindHandler | undefined;
  /** Answers a request for which that handler has no answer. */
  unknown: NotFoundHandler;
}

/** A route's only handler, and the context to call it with. */
export interface Found {
  handler: Handler;
  context: JsonContext;
  next: Next;
}

export type FindHandler = (request: Request, env: Env) => Found | undefined;

/** Clones of the service's app, so that the author's own tests see no difference. */
export function mountApp(
  module: ServiceModule,
  fail: (error: unknown, request: Request) => Response,
): MountedApp {
  const app = module.routes as Hono;
  const mounted = app.basePath("/");
  const isPlain = plainGetPaths.includes(app.getPath);
  // Read-only in the types only: Hono takes it as a constructor option.
  if (!module.mountAtRoot)
    Object.defineProperty(mounted, "getPath", { value: pathBelow(module.name, app.getPath, isPlain) });
  const failsPlainly = hasDefaultErrorHandler(app);
  if (failsPlainly) mounted.onError((error, c) => withHeaders(fail(error, c.req.raw), c.res.headers));
  const unknown = notFoundHandlerOf(app);
  mounted.notFound(unknown);
  const isHonosOwn = app instanceof Hono && isPlain && app.router.constructor === plain.router.constructor;
  const result: MountedApp = { fetch: mounted.fetch as Fetch, find: undefined, unknown };
  if (failsPlainly && isHonosOwn) {
    // Made with the first request: it would be a part of every start.
    result.find = (request, env) => {
      result.find = handlerFinder(mounted, unknown);
      return result.find?.(request, env);
    };
  }
  return result;
}

const plain = new Hono();
const plainGetPaths = [plain.getPath, new Hono({ strict: false }).getPath];

/** What an app takes for the path of a request, for an app below `/<name>`. */
function pathBelow(name: string, getPath: Hono["getPath"], isPlain: boolean): Hono["getPath"] {
  const prefix = name.length + 1;
  if (isPlain) return (request, options) => getPath(request, options).slice(prefix) || "/";
  // It may look at all of the request's address.
  return (request, options) => {
    const { headers, method, url } = request;
    const start = url.indexOf("/", url.indexOf("//") + 2);
    const below = url.slice(start + prefix);
    const path = below.startsWith("/") ? below : `/${below}`;
    return getPath(new Request(url.slice(0, start) + path, { headers, method }), options);
  };
}

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
 * promises where it is asynchronous (0.4 µs of the 3 µs that a small POST costs). Only for apps that leave errors to
 * Reef; nothing of the author's runs here.
 */
function handlerFinder(app: Hono, unknown: NotFoundHandler): FindHandler | undefined {
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
    const context = new OwnContext(request, { path, matchResult, env, notFoundHandler: unknown });
    // For middleware alone, after which nothing follows.
    const next = async () => {
      context.res = await unknown(context);
    };
    return { handler, context, next };
  };
}

interface HonoInternals {
  errorHandler: unknown;
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
