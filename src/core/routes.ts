/** Lists the routes of a Hono app. */
import type { Hono } from "hono";
import type { RouterRoute } from "hono/types";
import { findTargetHandler, isMiddleware } from "hono/utils/handler";
import type { ServiceModule } from "./types.js";

/** A route; `path` is relative to the app's mount point. `method` is `ALL` for routes of every method. */
export interface RouteEntry {
  method: string;
  path: string;
}

/**
 * The routes of an app in registration order, each once however many handlers it has. Middleware is omitted:
 * handlers that take `next` and are registered for every method or on a wildcard, except mounted foreign apps.
 * `isKnown` includes such handlers all the same, for instance middleware that serves files.
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

/** The path of a service's panel, relative to its mount point. */
export const PANEL_ROUTE = "/_panel";

/** Whether a module has a panel that the dashboard can show. */
export function hasPanel({ routes, mountAtRoot }: Pick<ServiceModule, "routes" | "mountAtRoot">): boolean {
  if (!routes || mountAtRoot) return false;
  return routes.routes.some(
    ({ method, path }) => path === PANEL_ROUTE && (method === "GET" || method === "ALL"),
  );
}

function passesOn({ handler, method, path }: RouterRoute): boolean {
  // Unwraps the error handler of a route group.
  const own = findTargetHandler(handler);
  return isMiddleware(own) && (method === "ALL" || path.includes("*")) && !isForeignApp(own);
}

/**
 * Whether a handler was created by Hono's `mount`. It takes `next` like middleware; only its source tells them
 * apart.
 */
const isForeignApp = (handler: unknown) => /\bawait applicationHandler\(/.test(String(handler));

const answering = new WeakMap<RouterRoute, boolean>();

/** Whether a route answers requests itself, unlike middleware. */
export function answers(route: RouterRoute): boolean {
  const known = answering.get(route);
  if (known !== undefined) return known;
  const does = !passesOn(route);
  answering.set(route, does);
  return does;
}
