/** Loads several folders, whatever the order in which they need each other. */
import { basename, join } from "node:path";
import { orderByDependencies } from "../boot/order.js";
import type { Trial } from "../checker/trials.js";
import { contentDigest } from "../code/digest.js";
import { asLoadFailure, dependencyCycle, type LoadFailure, type LoadFailureCode } from "../load-failure.js";
import type { Registry } from "../registry.js";
import type { ReloadAction } from "../registry-types.js";
import { load } from "./load.js";

/** What came of folders that were to be loaded, or were gone. */
export interface SyncResult {
  results: Array<{ name: string; action: ReloadAction }>;
  errors: Array<{ dir: string; error: string }>;
}

export const emptyResult = (): SyncResult => ({ results: [], errors: [] });

/**
 * Of folders, those whose code is not known to run out of time or to end its process; the others are reported again
 * with what is known. Only a reload by name tries them, or a change of their files or of what they need.
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

/** Of folders that lack only each other, says that they are a cycle. */
function nameCycles(registry: Registry, lacking: Lacking[], tried: ReadonlyMap<string, Trial>): void {
  const nodes = lacking.flatMap((one) => {
    // What was started elsewhere lacks what its trial says, or what others lack there.
    const { lacks = tried.get(one.dirName)?.facts } = one.failure;
    return lacks ? [{ name: lacks.name, dependencies: lacks.dependencies, one }] : [];
  });
  for (const { node, cycle } of orderByDependencies(nodes, new Set()).cyclic) {
    const failure = dependencyCycle(cycle);
    node.one.failure = failure;
    registry.failures.note(node.name, join(registry.servicesDir, node.one.dirName), failure);
  }
}

/** What the next round may mend: a dependency that is loaded by then, or no longer needs who needs it. */
export const DUE_TO_OTHERS: ReadonlySet<string> = new Set<LoadFailureCode>([
  "MISSING_DEPENDENCY",
  "DEPENDENCY_CYCLE",
]);

/** Whoever fails because of others may be loaded in the next round; it ends when a round brings nothing new. */
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

/** Loads `dirNames`, and tries the folders again that failed for want of a dependency; what is new is tried first. */
export async function loadLacking(registry: Registry, dirNames: readonly string[]): Promise<SyncResult> {
  const lacking = () => {
    const again = registry.failures.list().filter(({ code }) => code === "MISSING_DEPENDENCY");
    return [...new Set([...dirNames, ...again.map(({ dir }) => basename(dir))])];
  };
  const tried = new Map<string, Trial>();
  for (const [dirName, trial] of registry.trials.begin(lacking())) tried.set(dirName, await trial);
  return registry.queue.run(() => loadInRounds(registry, lacking(), tried, emptyResult()));
}
