import { AsyncLocalStorage } from "node:async_hooks";
import { isEventId } from "./tree/ids.js";

const causes = new AsyncLocalStorage<string | null>();

/**
 * The event that the running code is handling, if any: what `withCause` was entered with. An event that
 * is published without a `parentId` becomes a child of it.
 */
export function currentCause(): string | null {
  return causes.getStore() ?? null;
}

/**
 * Runs `fn`, and everything it starts, on behalf of an event: what is published in there without a
 * `parentId` becomes a child of `eventId`. `null` ends a surrounding cause for the duration of `fn`.
 *
 * Entering costs about a microsecond, so it is for code that handles one event or one operation of an
 * operator; plain requests never enter.
 */
export function withCause<T>(eventId: string | null, fn: () => T): T {
  return causes.run(eventId, fn);
}

/**
 * The event on whose behalf a client says it sends a request: its `X-Reef-Parent` header, or `null` when
 * there is none or it is not an event id. For routes that publish: `withCause(requestCause(c.req.raw), …)`.
 */
export function requestCause(request: Request): string | null {
  const given = request.headers.get("x-reef-parent");
  return isEventId(given) ? given : null;
}
