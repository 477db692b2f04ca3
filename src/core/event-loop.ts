/**
 * Resolves once the event loop has answered who came meanwhile. Long work on the server's one thread awaits it
 * between its steps, so that a request waits for one step at most.
 */
export function yieldToEventLoop(): Promise<void> {
  // The first turn belongs to what is due by now, a commit for instance; requests are read before the second.
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** Resolves once what was due when it was called has run: timers of no or one millisecond, and immediates. */
export async function afterDueTimers(): Promise<void> {
  await Bun.sleep(1);
  await yieldToEventLoop();
}
