/** Loads several folders in whatever order their dependencies require. */
import { basename, join } from "node:path";
import { orderByDependencies } from "../boot/order.js";
import type { Trial } from "../checker/trials.js";
import { contentDigest } from "../code/digest.js";
import { asLoadFailure, dependencyCycle, type LoadFailure, type LoadFailureCode } from "../load-failure.js";
import type { Registry } from "../registry.js";
import type { ReloadAction } from "../registry-types.js";
import { load } from "./load.js";

/** The result of loading and removing folders. */
export interface SyncResult {
  results: Array<{ name: string; action: ReloadAction }>;
  errors: Array<{ dir: string; error: string }>;
}

/** A result to add to. */
export const emptyResult = (): SyncResult => ({ results: [], errors: [] });

/**
 * Filters out folders whose code is known to time out or end its process; they are reported again with the
 * known failure. They are retried only by an explicit reload, or when their files or their dependencies change.
 */
export function worthTrying(registry: Registry, dirNames: string[], result: SyncResult): string[] {
  return dirNames.filter((dirName) => {
    const dir = join(registry.servicesDir, dirName);
    if (!registry.failures.get(dir)?.digest) return true;
    try {
      const digestOf = (needed: string) => registry.trials.digestOf(needed);
      const known = registry.failures.costly(dir, contentDigest(dir), digestOf);
      if (known) result.errors.push({ dir: dirName, error: known.error });
      return known === undefined;
    } catch {
      // The folder cannot be read: loading it says why.
      return true;
    }
  });
}

interface Lacking {
  dirName: string;
  failure: LoadFailure;
}

/** Replaces "missing dependency" by "dependency cycle" for folders that only lack each other. */
function nameCycles(registry: Registry, lacking: Lacking[], tried: ReadonlyMap<string, Trial>): void {
  const nodes = lacking.flatMap((one) => {
    // If the trial failed in the child process, its facts say what the code needs.
    const { lacks = tried.get(one.dirName)?.facts } = one.failure;
    return lacks ? [{ name: lacks.name, dependencies: lacks.dependencies, one }] : [];
  });
  for (const { node, cycle } of orderByDependencies(nodes, new Set()).cyclic) {
    const failure = dependencyCycle(cycle);
    node.one.failure = failure;
    registry.failures.note(node.name, join(registry.servicesDir, node.one.dirName), failure);
  }
}

/** Failures that a later round may resolve, once a dependency is loaded or no longer depends on the folder. */
export const DUE_TO_OTHERS: ReadonlySet<LoadFailureCode> = new Set<LoadFailureCode>([
  "MISSING_DEPENDENCY",
  "DEPENDENCY_CYCLE",
]);

/** Loads folders, retrying those that failed because of others until a round makes no progress. */
export async function loadInRounds(
  registry: Registry,
  dirNames: string[],
  tried: ReadonlyMap<string, Trial>,
  result: SyncResult,
  caller?: string,
): Promise<SyncResult> {
  let waiting = worthTrying(registry, dirNames, result);
  while (waiting.length > 0) {
    const lacking: Lacking[] = [];
    for (const dirName of waiting) {
      try {
        result.results.push(await load(registry, dirName, { caller, trial: tried.get(dirName) }));
      } catch (error) {
        const failure = asLoadFailure(error);
        if (DUE_TO_OTHERS.has(failure.code)) lacking.push({ dirName, failure });
        else result.errors.push({ dir: dirName, error: failure.message });
      }
    }
    if (lacking.length === waiting.length) {
      nameCycles(registry, lacking, tried);
      for (const { dirName, failure } of lacking)
        result.errors.push({ dir: dirName, error: failure.message });
      return result;
    }
    waiting = lacking.map(({ dirName }) => dirName);
  }
  return result;
}

/** Loads `dirNames` and retries folders that failed for a missing dependency. Unknown code is tried first. */
export async function loadLacking(registry: Registry, dirNames: readonly string[]): Promise<SyncResult> {
  const lacking = () => {
    const again = registry.failures.list().filter(({ code }) => code === "MISSING_DEPENDENCY");
    return [...new Set([...dirNames, ...again.map(({ dir }) => basename(dir))])];
  };
  const tried = new Map<string, Trial>();
  for (const [dirName, trial] of registry.trials.begin(lacking())) tried.set(dirName, await trial);
  return registry.queue.run(() => loadInRounds(registry, lacking(), tried, emptyResult()));
}
