/** Brings running services in line with the services folder. */
import { join } from "node:path";
import { ProgressTimeout } from "../boot/progress-timeout.js";
import type { Trial, TrialsUnderWay } from "../checker/trials.js";
import { rescanServices } from "../discover.js";
import { yieldToEventLoop } from "../event-loop.js";
import { inHost } from "../generation/host-context.js";
import type { Registry } from "../registry.js";
import type { Version } from "../version.js";
import { foldersToLoad, type PassOptions, syncOnce } from "./folder-pass.js";
import { DUE_TO_OTHERS, emptyResult, type SyncResult, worthTrying } from "./load-rounds.js";

export type { SyncResult } from "./load-rounds.js";

/** How long a sync waits without progress of the trials of new code, in milliseconds. */
const TRIAL_PATIENCE_MS = 300;

/**
 * Removes services whose folder is gone, exchanges those whose code changed, and adds new ones. New code is
 * tried first. Slow trials, and services that are being started, are handled after the rest and delay nobody.
 */
export function syncFolders(registry: Registry, caller?: string): Promise<SyncResult> {
  if (!registry.queue.takesTurns) return registry.queue.run(() => syncOnce(registry, new Map(), { caller }));
  // Continues when the caller itself is exchanged meanwhile.
  return inHost(() => syncInTurns(registry, caller));
}

async function syncInTurns(registry: Registry, caller: string | undefined): Promise<SyncResult> {
  const { trials, unchanged } = prepareSync(registry);
  const tried = new Map<string, Trial>();
  for (const [dirName, trial] of trials) void trial.then((outcome) => tried.set(dirName, outcome));
  const pass = (skip: PassOptions["skip"]) => () => syncOnce(registry, tried, { caller, unchanged, skip });
  const untried = () => new Set([...trials.keys()].filter((dirName) => !tried.has(dirName)));
  if (trials.size > 0) await new ProgressTimeout(TRIAL_PATIENCE_MS).allSettled(trials.values());
  let late = untried();
  let again = late.size > 0;
  const first = await registry.queue.run(() => {
    again ||= registry.starts.has();
    return pass((dirName) => late.has(dirName))();
  });
  if (!again) return first;
  const done = first.results;
  while (late.size > 0) {
    const before = late;
    await Promise.race(Array.from(before, (dirName) => trials.get(dirName)));
    // Trials that run together settle together.
    await yieldToEventLoop();
    late = untried();
    // The last ones are handled by the final pass.
    if (late.size === 0) break;
    const isNext = (dirName: string) =>
      before.has(dirName) ? !late.has(dirName) : isDueToOthers(registry, dirName);
    const { results } = await registry.queue.run(pass((dirName) => !isNext(dirName)));
    done.push(...results);
  }
  await registry.starts.over();
  // A folder that failed may have needed one that was late: retried, and reported, here.
  const { results, errors } = await registry.queue.run(() => syncOnce(registry, tried, { caller }));
  return { results: [...done, ...results], errors };
}

/** Whether a folder could not be loaded because of other folders. */
function isDueToOthers(registry: Registry, dirName: string): boolean {
  const failure = registry.failures.get(join(registry.servicesDir, dirName));
  return failure !== undefined && DUE_TO_OTHERS.has(failure.code);
}

/** Looks at all folders when the sync is requested: begins trials of new code and notes unchanged versions. */
function prepareSync(registry: Registry): { trials: TrialsUnderWay; unchanged: ReadonlySet<Version> } {
  const running = registry.table.all();
  const found = emptyResult();
  const folders = foldersToLoad(registry, rescanServices(registry.servicesDir), found);
  const trials = registry.trials.begin(worthTrying(registry, folders, emptyResult()));
  const others = new Set([...folders, ...found.errors.map(({ dir }) => dir)]);
  const same = running.filter(({ dirName }) => dirName !== undefined && !others.has(dirName));
  return { trials, unchanged: new Set(same.map(({ current }) => current)) };
}
