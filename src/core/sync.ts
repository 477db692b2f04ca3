/** Brings what is running in line with the services folder. */
import { basename, join } from "node:path";
import { contentDigest } from "./digest.js";
import { asLoadFailure, scanServices } from "./discover.js";
import type { LoadFailure } from "./load-failure.js";
import { orderByDependencies } from "./order.js";
import type { Registry } from "./registry.js";
import type { ReloadAction } from "./registry-types.js";
import { unload } from "./removal.js";
import { dependencyCycle } from "./table.js";

export interface SyncResult {
  results: Array<{ name: string; action: ReloadAction }>;
  errors: Array<{ dir: string; error: string }>;
}

/**
 * Removes services whose folder is gone, exchanges those whose code changed, adds new ones. Services that are being
 * started are waited for, after what need not wait; without `mayWait` they are left alone.
 */
export async function syncFolders(
  registry: Registry,
  mayWait: boolean,
  caller?: string,
): Promise<SyncResult> {
  const result = emptyResult();
  const { candidates, failures } = scanServices(registry.servicesDir);
  for (const { dirName, dir, failure } of failures) {
    registry.failures.note(dirName, dir, failure);
    result.errors.push({ dir: dirName, error: failure.message });
  }
  registry.failures.keepOnly([...candidates, ...failures].map(({ dir }) => dir));
  const present = new Set(candidates.map(({ dirName }) => dirName));
  await removeMissing(registry, present, result, caller);
  if (mayWait && registry.starts.has()) {
    // What fails here may lack one that is being started: it is tried again, and reported, below.
    const { results } = await loadInRounds(
      registry,
      findChanged(registry, present, emptyResult()),
      emptyResult(),
      caller,
    );
    result.results.push(...results);
    await registry.starts.over();
    await removeMissing(registry, present, result, caller);
  }

  const running = registry.table.all().flatMap((service) => service.dirName ?? []);
  const changed = findChanged(registry, present, result);
  const added = candidates
    .map(({ dirName }) => dirName)
    .filter((dirName) => !running.includes(dirName) && !registry.starts.has(dirName))
    .filter((dirName) => !registry.switches?.isDisabled(dirName));
  await loadInRounds(registry, [...changed, ...added], result, caller);
  registry.announceSync(result);
  return result;
}

const emptyResult = (): SyncResult => ({ results: [], errors: [] });

/** The folders whose code is no longer the running version's. Those that cannot be read are reported. */
function findChanged(registry: Registry, present: Set<string>, result: SyncResult): string[] {
  return registry.table.all().flatMap((service) => {
    const { name, dirName } = service;
    if (dirName === undefined || !present.has(dirName)) return [];
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

/** Loads `dirNames`, and tries the folders again that failed for want of a dependency. */
export async function loadLacking(registry: Registry, dirNames: readonly string[]): Promise<SyncResult> {
  const result = emptyResult();
  const lacking = registry.failures.list().filter(({ code }) => code === "MISSING_DEPENDENCY");
  const again = lacking.map(({ dir }) => basename(dir));
  await loadInRounds(registry, [...new Set([...dirNames, ...again])], result);
  return result;
}

/**
 * Of folders, those whose code is not known to run out of time or to end its process; the others are reported again
 * with what is known. Only a reload by name tries them, or a change of their files.
 */
function worthTrying(registry: Registry, dirNames: string[], result: SyncResult): string[] {
  return dirNames.filter((dirName) => {
    const dir = join(registry.servicesDir, dirName);
    if (!registry.failures.get(dir)?.digest) return true;
    try {
      const known = registry.failures.costly(dir, contentDigest(dir));
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
function nameCycles(registry: Registry, lacking: Lacking[]): void {
  const nodes = lacking.flatMap((one) => (one.failure.lacks ? [{ ...one.failure.lacks, one }] : []));
  for (const { node, cycle } of orderByDependencies(nodes, new Set()).cyclic) {
    const failure = dependencyCycle(cycle);
    node.one.failure = failure;
    registry.failures.note(node.name, join(registry.servicesDir, node.one.dirName), failure);
  }
}

/** Whoever lacks a dependency may find it loaded in the next round; it ends when a round brings nothing new. */
async function loadInRounds(
  registry: Registry,
  dirNames: string[],
  result: SyncResult,
  caller?: string,
): Promise<SyncResult> {
  let waiting = worthTrying(registry, dirNames, result);
  while (waiting.length > 0) {
    const lacking: Lacking[] = [];
    for (const dirName of waiting) {
      try {
        result.results.push(await registry.load(dirName, caller));
      } catch (error) {
        const failure = asLoadFailure(error);
        if (failure.code === "MISSING_DEPENDENCY") lacking.push({ dirName, failure });
        else result.errors.push({ dir: dirName, error: failure.message });
      }
    }
    if (lacking.length === waiting.length) {
      nameCycles(registry, lacking);
      for (const { dirName, failure } of lacking)
        result.errors.push({ dir: dirName, error: failure.message });
      return result;
    }
    waiting = lacking.map(({ dirName }) => dirName);
  }
  return result;
}
