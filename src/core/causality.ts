import { AsyncLocalStorage } from "node:async_hooks";

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
