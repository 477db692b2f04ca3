/** Tracks which event the running code is handling, so that events it publishes become children of that event. */
import { AsyncLocalStorage } from "node:async_hooks";
import { isEventId } from "./tree/ids.js";

const causes = new AsyncLocalStorage<string | null>();

/**
 * The id of the event that the running code handles, as set by `withCause`; `null` when there is none. Events
 * published without a `parentId` become its children.
 */
export function currentCause(): string | null {
  return causes.getStore() ?? null;
}

/**
 * Runs `fn`, and everything it starts, on behalf of an event: events published there without a `parentId`
 * become children of `eventId`. `null` clears a surrounding cause.
 *
 * Entering costs about a microsecond, so it is meant for handlers of events and operator actions; plain
 * requests do not enter.
 *
 * @example
 * await withCause(requestCause(c.req.raw), () => ctx.events.emit("reef:event", { type: "note", content: "Done" }));
 */
export function withCause<T>(eventId: string | null, fn: () => T): T {
  return causes.run(eventId, fn);
}

/**
 * The event on whose behalf a client sends a request, from its `X-Reef-Parent` header; `null` when the header
 * is missing or is not an event id.
 */
export function requestCause(request: Request): string | null {
  const given = request.headers.get("x-reef-parent");
  return isEventId(given) ? given : null;
}
