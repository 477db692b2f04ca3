/** The end of all services: what serves saves and goes, and what is on its way does not come any more. */

import type { Service } from "../registry/table.js";
import type { Registry } from "../registry.js";
import { endOlder } from "../version/draining.js";
import { retire } from "../version.js";

/**
 * What has no time left gets so much, in milliseconds: each of a store's steps, and all that is being imported or
 * started, together.
 */
const CLOSE_LIMIT_MS = 1000;

/**
 * Lets all services go, dependents first, and takes in none after that. All of them together get `drainMs`, and a
 * little more for each store. What is being started may finish, and saves then; what has not soon is given up.
 * `booted` is what the start of the server has left to do.
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
    // Of what has started a moment ago: who is gone cannot be copied.
    await Promise.race([copies.keepAll([]), Bun.sleep(soon)]);
    const gone: Service[] = [];
    for (const service of table.dependentsFirst()) {
      gone.push(service);
      await endService(registry, service, deadline, gone);
    }
    await copies.keepAll([]);
  });
  // Those that serve have saved: they do not wait for those that do not serve yet.
  await Promise.allSettled([booted, starts.over()]);
  clearTimeout(timer);
}

/** Lets one service go that nothing needs any more, within what is left until `deadline`, and a little for its store. */
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
