/** Which routes does a Hono app have? */
import type { Hono } from "hono";
import { inspectRoutes } from "hono/dev";

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
  for (const { method, path, isMiddleware } of inspectRoutes(app)) {
    const route = { method: method.toUpperCase(), path };
    const passesOn = isMiddleware && (method === "ALL" || path.includes("*"));
    if (!passesOn || isKnown(route)) found.set(`${method} ${path}`, route);
  }
  return [...found.values()];
}
