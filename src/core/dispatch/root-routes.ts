/** Which of the services mounted at the root answers a request? */
import type { Hono } from "hono";
import type { RouterRoute } from "hono/types";
import type { Mount } from "../dispatch.js";
import { messageOf } from "../errors.js";
import type { Logger } from "../log.js";
import { answers } from "../routes.js";

type Match = [[[unknown, RouterRoute], unknown][], ...unknown[]];

/**
 * How much of its path a route spells out: the length of what stands before the first parameter or wildcard. Of equal
 * lengths, a route without either length most, and a parameter length more than a wildcard.
 */
export function specificity(route: string): number {
  const open = route.search(/[:*]/);
  if (open < 0) return route.length + 0.5;
  return route[open] === ":" ? open + 0.25 : open;
}

/**
 * The mount whose route length most about the request's path, so that a catch-all takes nothing from others; of
 * equals the one whose name comes first.
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
 * Those whose middleware may answer what nobody has a route for, the likeliest first: who has a route there for another
 * method, which a preflight asks about, then those with middleware on the path, by how much of it that spells out.
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

/** How much of the request's path those routes spell out at most; -1 where none stands on it. */
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
