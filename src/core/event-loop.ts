/** Yielding to the event loop between steps of long work. */

/**
 * Resolves after pending requests have been served. Long work on the server's only thread awaits it between
 * steps, so that a request waits for one step at most.
 */
export function yieldToEventLoop(): Promise<void> {
  // The first turn runs what is due already, such as a commit; requests are read before the second.
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** Resolves after timers of at most one millisecond, and immediates, that were pending at the call have run. */
export async function afterDueTimers(): Promise<void> {
  await Bun.sleep(1);
  await yieldToEventLoop();
}
