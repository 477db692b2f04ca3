/** Jobs that say later what came of them are kept in memory, the latest ones. */

/** How many are kept. */
export const KEPT_JOBS = 50;

/** Adds a job by its id, and lets go of the oldest that have ended where there are too many. */
export function keepJob<T>(kept: Map<string, T>, id: string, job: T, isRunning: (job: T) => boolean): void {
  kept.set(id, job);
  for (const [oldest, one] of kept) {
    if (kept.size <= KEPT_JOBS) break;
    if (!isRunning(one)) kept.delete(oldest);
  }
}
