/** Stops all services at the end of the server. */

import type { Service } from "../registry/table.js";
import type { Registry } from "../registry.js";
import { endOlder } from "../version/draining.js";
import { retire } from "../version.js";

/** The minimum time, in milliseconds, for each step of closing a store, and for all imports and starts together. */
const CLOSE_LIMIT_MS = 1000;

/**
 * Stops all services, dependents first, and admits no more. Together they get `drainMs` milliseconds, plus a
 * little for each store. Starts in progress may finish, and save; those that take too long are abandoned.
 * `booted` settles when the server's start is over.
 */
export async function endServices(
  registry: Registry,
  drainMs: number,
  booted: Promise<unknown> = Promise.resolve(),
): Promise<void> {
  const { admission, copies, queue, starts, table } = registry;
  admission.close();
  const deadline = Date.now() + drainMs;
  const soon = Math.min(drainMs, CLOSE_LIMIT_MS);
  const timer = setTimeout(() => admission.rejectWaits(), soon);
  await queue.run(async () => {
    // Services that have just started may not have been copied; that is impossible once they are gone.
    await Promise.race([copies.keepAll([]), Bun.sleep(soon)]);
    const gone: Service[] = [];
    for (const service of table.dependentsFirst()) {
      gone.push(service);
      await endService(registry, service, deadline, gone);
    }
    await copies.keepAll([]);
  });
  // Running services have saved already: they do not wait for those that are still starting.
  await Promise.allSettled([booted, starts.over()]);
  clearTimeout(timer);
}

/**
 * Stops one service without dependents, within the time until `deadline` (a `Date.now()` value) plus a little
 * for its store. `gone` are the services stopped so far.
 */
export async function endService(
  { table }: Registry,
  service: Service,
  deadline: number,
  gone: readonly Service[] = [service],
): Promise<void> {
  table.remove(service);
  await endOlder(service, deadline - Date.now());
  const left = Math.max(0, deadline - Date.now());
  await retire(service.current, {
    drainMs: left,
    flush: true,
    shutdown: true,
    limitMs: Math.max(CLOSE_LIMIT_MS, left),
    untrackedReplies: () => table.untrackedReplies(gone),
  });
}
