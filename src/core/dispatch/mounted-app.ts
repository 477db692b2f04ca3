/**
 * A service's Hono app as Reef calls it: below its prefix, with Reef's error and not-found replies where the
 * author set none.
 */
import { type Context, Hono } from "hono";
import type { ServiceModule } from "../types.js";
import { type JsonContext, jsonContextClass } from "./json-context.js";
import type { Env } from "./serving.js";
import { type NotFoundHandler, notFoundHandlerOf, withHeaders } from "./unknown-route.js";

type Fetch = (request: Request, env: Env) => Response | Promise<Response>;
type Next = () => Promise<void>;
type Handler = (c: Context, next: Next) => unknown;

/** How Reef calls a service's app. */
export interface MountedApp {
  fetch: Fetch;
  /** Finds the handler of a request that only one handler of the app matches; see {@link handlerFinder}. */
  find: FindHandler | undefined;
  /** Answers a request for which the handler returned nothing. */
  unknown: NotFoundHandler;
}

/** A route's only handler, and the context to call it with. */
export interface Found {
  handler: Handler;
  context: JsonContext;
  next: Next;
}

/** Finds a request's only handler; undefined when the app itself must be called. */
export type FindHandler = (request: Request, env: Env) => Found | undefined;

/**
 * Mounts a clone of the service's app, so that the author's own app, and tests of it, are unaffected.
 *
 * @param fail Turns a thrown error into a reply.
 */
export function mountApp(
  module: ServiceModule,
  fail: (error: unknown, request: Request) => Response,
): MountedApp {
  const app = module.routes as Hono;
  const mounted = app.basePath("/");
  const isPlain = plainGetPaths.includes(app.getPath);
  // Read-only in the types only: Hono accepts it as a constructor option.
  if (!module.mountAtRoot)
    Object.defineProperty(mounted, "getPath", { value: pathBelow(module.name, app.getPath, isPlain) });
  const failsPlainly = hasDefaultErrorHandler(app);
  if (failsPlainly) mounted.onError((error, c) => withHeaders(fail(error, c.req.raw), c.res.headers));
  const unknown = notFoundHandlerOf(app);
  mounted.notFound(unknown);
  const isHonosOwn = app instanceof Hono && isPlain && app.router.constructor === plain.router.constructor;
  const result: MountedApp = { fetch: mounted.fetch as Fetch, find: undefined, unknown };
  if (failsPlainly && isHonosOwn) {
    // Created at the first request, to keep it out of the start.
    result.find = (request, env) => {
      result.find = handlerFinder(mounted, unknown);
      return result.find?.(request, env);
    };
  }
  return result;
}

const plain = new Hono();
const plainGetPaths = [plain.getPath, new Hono({ strict: false }).getPath];

/** The `getPath` of an app that is mounted below `/<name>`. */
function pathBelow(name: string, getPath: Hono["getPath"], isPlain: boolean): Hono["getPath"] {
  const prefix = name.length + 1;
  if (isPlain) return (request, options) => getPath(request, options).slice(prefix) || "/";
  // A custom getPath may use the whole URL.
  return (request, options) => {
    const { headers, method, url } = request;
    const start = url.indexOf("/", url.indexOf("//") + 2);
    const below = url.slice(start + prefix);
    const path = below.startsWith("/") ? below : `/${below}`;
    return getPath(new Request(url.slice(0, start) + path, { headers, method }), options);
  };
}

let contextClass: ReturnType<typeof jsonContextClass> | undefined;

/** The context class. Hono exports only the type of its own, so it is taken from a request. */
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
 * Most requests match a single handler. Calling it directly avoids Hono's wrapping: two promises per
 * asynchronous handler (0.4 µs of the 3 µs that a small POST costs). Only for apps that leave errors to Reef.
 * No author code runs here.
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
    // For middleware without a following handler.
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
  // A service with its own Hono in node_modules has another default handler.
  return (
    typeof handler === "function" &&
    handler.name === "errorHandler" &&
    /Internal Server Error/.test(String(handler))
  );
}
