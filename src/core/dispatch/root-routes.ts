/** Selects the service mounted at the root that answers a request. */
import type { Hono } from "hono";
import type { RouterRoute } from "hono/types";
import type { Mount } from "../dispatch.js";
import { messageOf } from "../errors.js";
import type { Logger } from "../log.js";
import { answers } from "../routes.js";

type Match = [[[unknown, RouterRoute], unknown][], ...unknown[]];

/**
 * How specific a route is: the length of its literal prefix. At equal length a route without parameters ranks
 * highest, and a parameter ranks above a wildcard.
 *
 * @example
 * specificity("/files/:id") > specificity("/files/*"); // true
 */
export function specificity(route: string): number {
  const open = route.search(/[:*]/);
  if (open < 0) return route.length + 0.5;
  return route[open] === ":" ? open + 0.25 : open;
}

/**
 * The mount with the most specific matching route, so that a catch-all does not shadow others. Ties go to the
 * first name.
 */
export function closestRoot(mounts: readonly Mount[], request: Request, log: Logger): Mount | undefined {
  const method = methodOf(request);
  let closest: Mount | undefined;
  let most = -1;
  for (const mount of mounts) {
    const length = matchLength(mount, request, answers, method, log);
    if (length <= most) continue;
    closest = mount;
    most = length;
  }
  return closest;
}

/**
 * The mounts whose middleware may answer a request without a route, most likely first: those with a route there
 * for another method, which a preflight asks about, then those with middleware on the path, the most specific
 * first.
 */
export function middlewareMounts(mounts: readonly Mount[], request: Request, log: Logger): Mount[] {
  const method = methodOf(request);
  return mounts
    .map((mount) => ({
      mount,
      other: matchLength(mount, request, answers, otherMethods, log),
      any: matchLength(mount, request, () => true, method, log),
    }))
    .filter(({ any }) => any >= 0)
    .sort((a, b) => b.other - a.other || b.any - a.any)
    .map(({ mount }) => mount);
}

type Which = (route: RouterRoute) => boolean;
type MethodsOf = (app: Hono) => Iterable<string>;

const methodOf = ({ method }: Request): MethodsOf => {
  const methods = [method === "HEAD" ? "GET" : method];
  return () => methods;
};

const otherMethods: MethodsOf = (app) => new Set(app.routes.map((route) => route.method));

/** The specificity of the best matching route; -1 when none matches. */
function matchLength(
  { app, name }: Mount,
  request: Request,
  which: Which,
  methodsOf: MethodsOf,
  log: Logger,
): number {
  let most = -1;
  try {
    const { router, getPath } = app as Hono;
    const path = getPath(request);
    for (const method of methodsOf(app as Hono)) {
      const [matched] = router.match(method, path) as unknown as Match;
      for (const [[, route]] of matched) if (which(route)) most = Math.max(most, specificity(route.path));
    }
  } catch (error) {
    log.warn(`routes of "${name}" cannot be matched: ${messageOf(error)}`);
  }
  return most;
}
