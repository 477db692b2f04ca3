/** Brings what is running in line with the services folder. */
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

/** How long everything else waits while no trial of new code gets any further, in milliseconds. */
const TRIAL_PATIENCE_MS = 300;

/**
 * Removes services whose folder is gone, exchanges those whose code changed, adds new ones. New code is tried first;
 * what takes long to try, and services that are being started, come later than the rest and hold nobody up.
 */
export function syncFolders(registry: Registry, caller?: string): Promise<SyncResult> {
  if (!registry.queue.takesTurns) return registry.queue.run(() => syncOnce(registry, new Map(), { caller }));
  // It goes on when the caller is exchanged meanwhile.
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
    // Those that are tried together settle together.
    await yieldToEventLoop();
    late = untried();
    // What settled last is for the last pass.
    if (late.size === 0) break;
    const isNext = (dirName: string) =>
      before.has(dirName) ? !late.has(dirName) : isDueToOthers(registry, dirName);
    const { results } = await registry.queue.run(pass((dirName) => !isNext(dirName)));
    done.push(...results);
  }
  await registry.starts.over();
  // What failed may have lacked one that came late: it has been tried again, and reported.
  const { results, errors } = await registry.queue.run(() => syncOnce(registry, tried, { caller }));
  return { results: [...done, ...results], errors };
}

/** Whether a folder could not be loaded because of others. */
function isDueToOthers(registry: Registry, dirName: string): boolean {
  const failure = registry.failures.get(join(registry.servicesDir, dirName));
  return failure !== undefined && DUE_TO_OTHERS.has(failure.code);
}

/** What was found when the change was asked for: trials of the code that is new, and versions that are as they were. */
function prepareSync(registry: Registry): { trials: TrialsUnderWay; unchanged: ReadonlySet<Version> } {
  const running = registry.table.all();
  const found = emptyResult();
  const folders = foldersToLoad(registry, rescanServices(registry.servicesDir), found);
  const trials = registry.trials.begin(worthTrying(registry, folders, emptyResult()));
  const others = new Set([...folders, ...found.errors.map(({ dir }) => dir)]);
  const same = running.filter(({ dirName }) => dirName !== undefined && !others.has(dirName));
  return { trials, unchanged: new Set(same.map(({ current }) => current)) };
}
