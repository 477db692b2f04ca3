/** One pass over the services folder: removes what is gone and loads what is new or changed. */
import { join } from "node:path";
import type { Trial } from "../checker/trials.js";
import { rescanServices, type Scan } from "../discover.js";
import { asLoadFailure } from "../load-failure.js";
import type { Registry } from "../registry.js";
import type { Version } from "../version.js";
import { emptyResult, loadInRounds, type SyncResult } from "./load-rounds.js";
import { unload } from "./removal.js";

/** Options of one pass. */
export interface PassOptions {
  caller?: string | undefined;
  /** Versions whose code is known to be unchanged. */
  unchanged?: ReadonlySet<Version>;
  /** Excludes folders from loading in this pass. */
  skip?: (dirName: string) => boolean;
}

/** Processes all folders once, as one change. */
export async function syncOnce(
  registry: Registry,
  tried: ReadonlyMap<string, Trial>,
  { caller, unchanged, skip = () => false }: PassOptions,
): Promise<SyncResult> {
  const result = emptyResult();
  const scan = rescanServices(registry.servicesDir);
  const { candidates, failures } = scan;
  for (const { dirName, dir, failure } of failures) {
    registry.failures.note(dirName, dir, failure);
    result.errors.push({ dir: dirName, error: failure.message });
  }
  registry.failures.keepOnly([...candidates, ...failures].map(({ dir }) => dir));
  await removeMissing(registry, new Set([...present(scan), ...unreadable(scan)]), result, caller);
  const folders = foldersToLoad(registry, scan, result, unchanged).filter((dirName) => !skip(dirName));
  await loadInRounds(registry, folders, tried, result, caller);
  registry.announceSync(result);
  return result;
}

const present = ({ candidates }: Scan) => new Set(candidates.map(({ dirName }) => dirName));

/** Folders that exist and cannot be read; their services keep running. */
function unreadable({ failures }: Scan): string[] {
  const closed = failures.filter(
    ({ failure }) => failure.code === "UNREADABLE" && failure.cause !== undefined,
  );
  return closed.map(({ dirName }) => dirName);
}

/** Changed folders, then new ones. `unchanged` versions are known not to have changed. */
export function foldersToLoad(
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

/** Folders whose code differs from the running version's. Unreadable folders are reported. */
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
      // The folder holds the running code again, so an earlier failure is obsolete.
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
