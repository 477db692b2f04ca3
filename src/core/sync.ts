/** Brings what is running in line with the services folder. */
import { join } from "node:path";
import { asLoadFailure, type Scan, scanServices } from "./discover.js";
import { inHost } from "./host-context.js";
import { loadInRounds, worthTrying } from "./load-rounds.js";
import { Patience } from "./patience.js";
import type { Registry } from "./registry.js";
import type { ReloadAction } from "./registry-types.js";
import { unload } from "./removal.js";
import type { Trial, TrialsUnderWay } from "./trials.js";
import type { Version } from "./version.js";

export interface SyncResult {
  results: Array<{ name: string; action: ReloadAction }>;
  errors: Array<{ dir: string; error: string }>;
}

/** How long everything else waits while no trial of new code gets any further, in milliseconds. */
const TRIAL_PATIENCE_MS = 300;

/**
 * Removes services whose folder is gone, exchanges those whose code changed, adds new ones. New code is tried first;
 * what takes long to try, and services that are being started, come later than the rest and hold nobody up.
 */
export function syncFolders(registry: Registry, caller?: string): Promise<SyncResult> {
  if (!registry.takesTurns) return registry.enqueue(() => goThrough(registry, new Map(), new Set(), caller));
  // It goes on when the caller is exchanged meanwhile.
  return inHost(() => syncInTurns(registry, caller));
}

async function syncInTurns(registry: Registry, caller: string | undefined): Promise<SyncResult> {
  const { trials, unchanged } = lookAhead(registry);
  const tried = new Map<string, Trial>();
  for (const [dirName, trial] of trials) void trial.then((outcome) => tried.set(dirName, outcome));
  if (trials.size > 0) await new Patience(TRIAL_PATIENCE_MS).allSettled(trials.values());
  const late = new Set([...trials.keys()].filter((dirName) => !tried.has(dirName)));
  let again = late.size > 0;
  const first = await registry.enqueue(() => {
    again ||= registry.starts.has();
    return goThrough(registry, tried, late, caller, unchanged);
  });
  if (!again) return first;
  await Promise.all(trials.values());
  await registry.starts.over();
  // What failed may have lacked one that came late: it has been tried again, and reported.
  const { results, errors } = await registry.enqueue(() => goThrough(registry, tried, new Set(), caller));
  return { results: [...first.results, ...results], errors };
}

const emptyResult = (): SyncResult => ({ results: [], errors: [] });

/** What was found when the change was asked for: trials of the code that is new, and versions that are as they were. */
function lookAhead(registry: Registry): { trials: TrialsUnderWay; unchanged: ReadonlySet<Version> } {
  const running = registry.table.all();
  const found = emptyResult();
  const folders = foldersToLoad(registry, scanServices(registry.servicesDir), found);
  const trials = registry.trials.begin(worthTrying(registry, folders, emptyResult()));
  const others = new Set([...folders, ...found.errors.map(({ dir }) => dir)]);
  const same = running.filter(({ dirName }) => dirName !== undefined && !others.has(dirName));
  return { trials, unchanged: new Set(same.map(({ current }) => current)) };
}

/** One pass through all folders but the `late` ones, as one change. */
async function goThrough(
  registry: Registry,
  tried: ReadonlyMap<string, Trial>,
  late: ReadonlySet<string>,
  caller: string | undefined,
  unchanged: ReadonlySet<Version> = new Set(),
): Promise<SyncResult> {
  const result = emptyResult();
  const scan = scanServices(registry.servicesDir);
  const { candidates, failures } = scan;
  for (const { dirName, dir, failure } of failures) {
    registry.failures.note(dirName, dir, failure);
    result.errors.push({ dir: dirName, error: failure.message });
  }
  registry.failures.keepOnly([...candidates, ...failures].map(({ dir }) => dir));
  await removeMissing(registry, present(scan), result, caller);
  const folders = foldersToLoad(registry, scan, result, unchanged).filter((dirName) => !late.has(dirName));
  await loadInRounds(registry, folders, tried, result, caller);
  registry.announceSync(result);
  return result;
}

const present = ({ candidates }: Scan) => new Set(candidates.map(({ dirName }) => dirName));

/** The folders whose code changed, then those that are new. Of `unchanged` versions it is known that it has not. */
function foldersToLoad(
  registry: Registry,
  scan: Scan,
  result: SyncResult,
  unchanged: ReadonlySet<Version> = new Set(),
): string[] {
  const there = present(scan);
  const running = new Set(registry.table.all().map((service) => service.dirName));
  const added = [...there]
    .filter((dirName) => !running.has(dirName) && !registry.starts.has(dirName))
    .filter((dirName) => !registry.switches?.isDisabled(dirName));
  return [...findChanged(registry, there, result, unchanged), ...added];
}

/** The folders whose code is no longer the running version's. Those that cannot be read are reported. */
function findChanged(
  registry: Registry,
  present: Set<string>,
  result: SyncResult,
  unchanged: ReadonlySet<Version>,
): string[] {
  return registry.table.all().flatMap((service) => {
    const { name, dirName } = service;
    if (dirName === undefined || !present.has(dirName) || unchanged.has(service.current)) return [];
    const dir = join(registry.servicesDir, dirName);
    try {
      if (registry.changed(service)) return [dirName];
      // What was wrong with other code is over when the folder holds again what runs.
      registry.failures.clear(dir);
    } catch (error) {
      report(registry, result, name, dirName, error);
    }
    return [];
  });
}

function report(registry: Registry, result: SyncResult, name: string, dirName: string, error: unknown): void {
  const failure = asLoadFailure(error);
  registry.failures.note(name, join(registry.servicesDir, dirName), failure);
  result.errors.push({ dir: dirName, error: failure.message });
}

async function removeMissing(registry: Registry, present: Set<string>, result: SyncResult, caller?: string) {
  for (const { name, dirName } of registry.table.all().reverse()) {
    if (dirName === undefined || present.has(dirName) || name === caller) continue;
    try {
      await unload(registry, name, { needed: true });
      result.results.push({ name, action: "removed" });
    } catch (error) {
      report(registry, result, name, dirName, error);
    }
  }
}
