/** Joins the routes of a service's Hono app with their documentation. */
import type { RouteDocs } from "./doc-types.js";
import { messageOf } from "./errors.js";
import { readableMembers } from "./objects.js";
import { listRoutes, PANEL_ROUTE, type RouteEntry } from "./routes.js";
import type { ServiceModule } from "./types.js";

/** One route of a service. */
export interface DocumentedRoute {
  /** Upper case; `"ALL"` for a handler of every method. */
  method: string;
  /** As the author registered it, below the mount point, e.g. `/tasks/:id{[0-9]+}`. */
  route: string;
  /** The path for callers, e.g. `/board/tasks/:id`, without parameter patterns. */
  path: string;
  docs: RouteDocs | undefined;
}

/** The methods under which an `ALL` route may be documented. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/**
 * Removes parameter patterns, which may contain braces themselves.
 *
 * @example
 * withoutPatterns("/tasks/:id{[0-9]{2}}"); // "/tasks/:id"
 */
export function withoutPatterns(path: string): string {
  let out = "";
  let depth = 0;
  for (let at = 0; at < path.length; at++) {
    const char = path[at] as string;
    if (depth > 0 && char === "\\") at++;
    else if (char === "{") depth++;
    else if (char === "}" && depth > 0) depth--;
    else if (depth === 0) out += char;
  }
  return out;
}

/** The canonical key by which routes and documentation are matched. */
function keyOf(method: string, path: string): string {
  const plain = withoutPatterns(path.trim()).replace(/\?(?=\/|$)/g, "");
  return `${method.toUpperCase()} ${plain.startsWith("/") ? plain : `/${plain}`}`;
}

function splitKey(key: string): { method: string; path: string } {
  const [, method = "", path = ""] = /^\s*(\S+)\s*(.*?)\s*$/.exec(key) ?? [];
  return { method, path };
}

/**
 * The readable documentation by canonical key, with the author's spelling of each key. Unreadable parts are
 * reported to `failed`.
 */
function documented(
  module: ServiceModule,
  failed: (what: string, error: unknown) => void = () => undefined,
): Map<string, { key: string; docs: RouteDocs }> {
  const byKey = new Map<string, { key: string; docs: RouteDocs }>();
  const all = readableMembers(module.routeDocs, (key, error) => failed(`routeDocs["${key}"]`, error));
  for (const [key, given] of Object.entries(all)) {
    const { method, path } = splitKey(key);
    const docs = readableMembers(given, (member, error) => failed(`routeDocs["${key}"].${member}`, error));
    byKey.set(keyOf(method, path), { key, docs: docs as unknown as RouteDocs });
  }
  return byKey;
}

/**
 * The routes of a service in registration order, each once however many handlers it has, with their
 * documentation: `GET /:id` also documents `/:id{[0-9]+}`. An `ALL` route that is documented for some methods
 * counts as those. Middleware is omitted unless it is documented as a route.
 *
 * @example
 * for (const { method, path, docs } of documentedRoutes(board)) console.log(method, path, docs?.summary);
 */
export function documentedRoutes(module: ServiceModule): DocumentedRoute[] {
  const docs = documented(module);
  const prefix = module.mountAtRoot ? "" : `/${module.name}`;
  const methodsOf = ({ method, path }: RouteEntry) => {
    if (method !== "ALL" || docs.has(keyOf(method, path))) return [method];
    const named = METHODS.filter((each) => docs.has(keyOf(each, path)));
    return named.length > 0 ? named : [method];
  };
  const isDocumented = ({ method, path }: RouteEntry) => docs.has(keyOf(method, path));
  return listRoutes(module.routes, isDocumented).flatMap((found) =>
    methodsOf(found).map((method) => ({
      method,
      route: found.path,
      path: prefix + (found.path === "/" ? "" : withoutPatterns(found.path)) || "/",
      docs: docs.get(keyOf(method, found.path))?.docs,
    })),
  );
}

/**
 * Problems in a service's documentation, one line each: unreadable parts, documented routes that do not exist,
 * routes without documentation, documentation without a summary. Panels (`GET /_panel`) need none.
 *
 * @example
 * expect(checkRouteDocs(board)).toEqual([]);
 */
export function checkRouteDocs(module: ServiceModule): string[] {
  const routes = documentedRoutes(module);
  const existing = new Set(routes.map(({ method, route }) => keyOf(method, route)));
  const warnings: string[] = [];
  const unreadable = new Set<string>();
  const docsOf = documented(module, (what, error) => {
    unreadable.add(what);
    warnings.push(`${what} cannot be read: ${messageOf(error)}`);
  });
  for (const [normal, { key, docs }] of docsOf) {
    if (!existing.has(normal)) warnings.push(missing(module, key, existing));
    else if (unreadable.has(`routeDocs["${key}"].summary`)) continue;
    else if (typeof docs.summary !== "string" || docs.summary.trim() === "") {
      warnings.push(`routeDocs["${key}"] has no summary.`);
    }
  }
  for (const { method, route, docs } of routes) {
    if (!docs && route !== PANEL_ROUTE) {
      warnings.push(
        `${method} ${route} has no documentation; add routeDocs["${method} ${withoutPatterns(route)}"].`,
      );
    }
  }
  return warnings;
}

function missing(module: ServiceModule, key: string, existing: ReadonlySet<string>): string {
  const { method, path } = splitKey(key);
  const says = `routeDocs["${key}"] documents a route that does not exist`;
  const prefix = `/${module.name}`;
  const below = path === prefix ? "/" : path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : undefined;
  if (below !== undefined && existing.has(keyOf(method, below))) {
    return `${says}; omit the mount point from keys: "${method} ${below}".`;
  }
  const unbraced = path.replace(/\{(\w+)\}/g, ":$1");
  if (unbraced !== path && existing.has(keyOf(method, unbraced))) {
    return `${says}; write parameters with a colon: "${method} ${unbraced}".`;
  }
  const shape = (text: string) => text.replace(/:\w+/g, ":");
  const similar = [...existing].find((other) => shape(other) === shape(keyOf(method, path)));
  if (similar) return `${says}; the route's parameters have other names: "${similar}".`;
  return `${says}.`;
}
