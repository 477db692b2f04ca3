/** Which of the services mounted at the root answers a request? */
import type { Hono } from "hono";
import type { RouterRoute } from "hono/types";
import type { Mount } from "./dispatch.js";
import { messageOf } from "./errors.js";
import type { Logger } from "./log.js";
import { answers } from "./routes.js";

type Match = [[[unknown, RouterRoute], unknown][], ...unknown[]];

/**
 * How much of its path a route spells out: the length of what stands before the first parameter or wildcard. Of equal
 * lengths, a route without either says most, and a parameter says more than a wildcard.
 */
export function specificity(route: string): number {
  const open = route.search(/[:*]/);
  if (open < 0) return route.length + 0.5;
  return route[open] === ":" ? open + 0.25 : open;
}

/**
 * The mount whose route says most about the request's path, so that a catch-all takes nothing from others; of
 * equals the one whose name comes first. Where none has a route for it, the mount is asked that has one for another
 * method: its middleware answers questions such as a preflight.
 */
export function closestRoot(mounts: readonly Mount[], request: Request, log: Logger): Mount | undefined {
  return (
    closest(mounts, request, answers, methodOf(request), log) ??
    closest(mounts, request, answers, otherMethods, log)
  );
}

/** Where nobody has a route, the mount whose middleware on the path says most: it may answer, too. */
export function closestMiddleware(
  mounts: readonly Mount[],
  request: Request,
  log: Logger,
): Mount | undefined {
  return closest(mounts, request, () => true, methodOf(request), log);
}

type Which = (route: RouterRoute) => boolean;

type MethodsOf = (app: Hono) => Iterable<string>;

const methodOf = ({ method }: Request): MethodsOf => {
  const methods = [method === "HEAD" ? "GET" : method];
  return () => methods;
};

const otherMethods: MethodsOf = (app) => new Set(app.routes.map((route) => route.method));

function closest(
  mounts: readonly Mount[],
  request: Request,
  which: Which,
  methodsOf: MethodsOf,
  log: Logger,
): Mount | undefined {
  let found: Mount | undefined;
  let most = -1;
  for (const mount of mounts) {
    const app = mount.app as Hono;
    try {
      const path = app.getPath(request);
      for (const method of methodsOf(app)) {
        const [matched] = app.router.match(method, path) as unknown as Match;
        for (const [[, route]] of matched) {
          const says = which(route) ? specificity(route.path) : -1;
          if (says <= most) continue;
          found = mount;
          most = says;
        }
      }
    } catch (error) {
      log.warn(`routes of "${mount.name}" cannot be matched: ${messageOf(error)}`);
    }
  }
  return found;
}
