/** Which routes does a Hono app have? */
import type { Hono } from "hono";
import type { RouterRoute } from "hono/types";
import { findTargetHandler, isMiddleware } from "hono/utils/handler";
import type { ServiceModule } from "./types.js";

/** One route; `path` is below the app's own mount point. `method` is `ALL` for routes that take every method. */
export interface RouteEntry {
  method: string;
  path: string;
}

/**
 * The routes of an app in the order in which they were added, each once however many handlers it has. Middleware
 * is left out: what takes `next` and stands on every method or on a wildcard, unless it is a foreign app that was
 * mounted. `isKnown` names routes that are such all the same, e.g. middleware that serves files.
 */
export function listRoutes(
  app: Hono | undefined,
  isKnown: (route: RouteEntry) => boolean = () => false,
): RouteEntry[] {
  if (!app) return [];
  const found = new Map<string, RouteEntry>();
  for (const each of app.routes) {
    const { method, path } = each;
    const route = { method: method.toUpperCase(), path };
    if (!passesOn(each) || isKnown(route)) found.set(`${method} ${path}`, route);
  }
  return [...found.values()];
}

/** Where a service's panel is, below its own mount point. */
export const PANEL_ROUTE = "/_panel";

/** Whether a module has a panel that the dashboard can show. */
export function hasPanel({ routes, mountAtRoot }: Pick<ServiceModule, "routes" | "mountAtRoot">): boolean {
  if (!routes || mountAtRoot) return false;
  return routes.routes.some(
    ({ method, path }) => path === PANEL_ROUTE && (method === "GET" || method === "ALL"),
  );
}

function passesOn({ handler, method, path }: RouterRoute): boolean {
  // Below a group's own error handler.
  const own = findTargetHandler(handler);
  return isMiddleware(own) && (method === "ALL" || path.includes("*")) && !isForeignApp(own);
}

/** Hono's `mount` makes a handler that takes `next` like middleware; only its text tells them apart. */
const isForeignApp = (handler: unknown) => /\bawait applicationHandler\(/.test(String(handler));

const answering = new WeakMap<RouterRoute, boolean>();

/** Whether a route of an app answers requests, as opposed to middleware. */
export function answers(route: RouterRoute): boolean {
  const known = answering.get(route);
  if (known !== undefined) return known;
  const does = !passesOn(route);
  answering.set(route, does);
  return does;
}
