/** Which routes does a Hono app have? */
import type { Hono } from "hono";
import { inspectRoutes } from "hono/dev";

/** One route; `path` is below the app's own mount point. `method` is `ALL` for routes that take every method. */
export interface RouteEntry {
  method: string;
  path: string;
}

/** The routes of an app in the order in which they were added; middleware is left out, duplicates are one entry. */
export function listRoutes(app: Hono | undefined): RouteEntry[] {
  if (!app) return [];
  const found = new Map<string, RouteEntry>();
  for (const { method, path, isMiddleware } of inspectRoutes(app)) {
    if (method === "ALL" && isMiddleware) continue;
    found.set(`${method} ${path}`, { method, path });
  }
  return [...found.values()];
}
