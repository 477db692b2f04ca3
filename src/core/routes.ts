/** Which routes does a Hono app have? */
import type { Hono } from "hono";
import { inspectRoutes } from "hono/dev";
import type { RouterRoute } from "hono/types";

/** One route; `path` is below the app's own mount point. `method` is `ALL` for routes that take every method. */
export interface RouteEntry {
  method: string;
  path: string;
}

/**
 * The routes of an app in the order in which they were added, each once however many handlers it has. Middleware
 * is left out: what takes `next` and stands on every method or on a wildcard. `isKnown` names routes that are
 * such all the same, e.g. a foreign app that was mounted.
 */
export function listRoutes(
  app: Hono | undefined,
  isKnown: (route: RouteEntry) => boolean = () => false,
): RouteEntry[] {
  if (!app) return [];
  const found = new Map<string, RouteEntry>();
  for (const inspected of inspectRoutes(app)) {
    const { method, path } = inspected;
    const route = { method: method.toUpperCase(), path };
    if (!passesOn(inspected) || isKnown(route)) found.set(`${method} ${path}`, route);
  }
  return [...found.values()];
}

type Inspected = ReturnType<typeof inspectRoutes>[number];

const passesOn = ({ isMiddleware, method, path }: Inspected) =>
  isMiddleware && (method === "ALL" || path.includes("*"));

const answering = new WeakMap<RouterRoute, boolean>();

/** Whether a route of an app answers requests, as opposed to middleware. */
export function answers(route: RouterRoute): boolean {
  const known = answering.get(route);
  if (known !== undefined) return known;
  const [inspected] = inspectRoutes({ routes: [route] } as unknown as Hono);
  const does = inspected !== undefined && !passesOn(inspected);
  answering.set(route, does);
  return does;
}
