/** The second phase of a start: imported services are started, dependencies first. */

import type { Checker } from "../checker.js";
import type { ServiceFolder } from "../discover.js";
import { LoadFailure, missingDependency } from "../load-failure.js";
import type { Registry } from "../registry.js";
import type { Imported } from "./imports.js";

/** Reports why a folder could not be started; `name` is its service's, where known. */
export type Fail = (candidate: ServiceFolder, error: unknown, name?: string) => void;

/** Of several folders with the same service name, keeps the one named like the service, else the first. */
export function dropDuplicates(imported: readonly Imported[], fail: Fail): Imported[] {
  const sorted = imported.toSorted((a, b) => (a.candidate.dirName < b.candidate.dirName ? -1 : 1));
  const byName = new Map<string, Imported>();
  for (const one of sorted) {
    const rival = byName.get(one.name);
    if (!rival || one.candidate.dirName === one.name) byName.set(one.name, one);
  }
  return sorted.filter((one) => {
    const owner = byName.get(one.name);
    if (!owner || owner === one) return true;
    void one.generation.dispose();
    const message = `the name "${one.name}" is already used by folder "${owner.candidate.dirName}".`;
    fail(one.candidate, new LoadFailure("DUPLICATE_NAME", "order", message));
    return false;
  });
}

/** The start of a service that already serves. Compared by identity, to avoid needless awaits. */
export const SERVING: Promise<boolean> = Promise.resolve(true);

/** What starting services takes. */
export interface StartOptions {
  registry: Registry;
  checker: Checker | undefined;
  fail: Fail;
}

/**
 * Starts services, each as soon as its dependencies have started; `ordered` has dependencies first. Each
 * promise resolves with whether its service serves, and never rejects.
 */
export function startInOrder(
  ordered: readonly Imported[],
  options: StartOptions,
): ReadonlyMap<string, Promise<boolean>> {
  const starting = new Map<string, Promise<boolean>>();
  const byName = new Map(ordered.map((one) => [one.name, one]));
  for (const one of ordered) {
    if (
      one.dependencies.every((need) => (starting.get(need) ?? SERVING) === SERVING) &&
      canStartAtOnce(one, options)
    ) {
      starting.set(one.name, startAtOnce(one, options));
      continue;
    }
    const needed = one.dependencies.map(async (need) => (await starting.get(need)) ?? true);
    starting.set(one.name, start(one, Promise.all(needed), byName, options));
  }
  return starting;
}

/** Whether a service can be started synchronously, which avoids many awaits at a start. */
function canStartAtOnce(
  { candidate: { dirName }, generation }: Imported,
  { registry }: StartOptions,
): boolean {
  const isUntouched = registry.table.byFolder(dirName) === undefined && registry.queue.isFolderFree(dirName);
  return generation.module.init === undefined && isUntouched && !registry.switches?.isDisabled(dirName);
}

function startAtOnce(
  { candidate, generation, name, source }: Imported,
  options: StartOptions,
): Promise<boolean> {
  try {
    options.registry.admission.admitAtOnce(generation, candidate.dirName, source);
    return SERVING;
  } catch (error) {
    return generation.dispose().then(() => {
      options.fail(candidate, error, name);
      return false;
    });
  }
}

async function start(
  one: Imported,
  needed: Promise<boolean[]>,
  byName: ReadonlyMap<string, Imported>,
  { registry, checker, fail }: StartOptions,
): Promise<boolean> {
  const { candidate, dependencies, generation, name, source } = one;
  const serves = await needed;
  const needs = dependencies.filter((_, index) => !serves[index]);
  try {
    if (needs.length > 0) throw missingDependency(name, needs);
    if (generation.module.init && checker && !checker.knows(source.digest)) {
      const trial = await one.trial;
      if (trial?.failure) throw trial.failure;
      if (!trial?.started) await checker.start([...dependencyFolders(one, byName), candidate.dirName]);
    }
  } catch (error) {
    await generation.dispose();
    fail(candidate, error, name);
    return false;
  }
  try {
    return await registry.queue.forFolder(candidate.dirName, async () => {
      // A change may have loaded it meanwhile, or switched it off.
      const isThere = registry.table.byFolder(candidate.dirName) !== undefined;
      if (isThere || registry.switches?.isDisabled(candidate.dirName)) {
        await generation.dispose();
        return isThere;
      }
      await registry.admission.admit(generation, candidate.dirName, source);
      return true;
    });
  } catch (error) {
    fail(candidate, error, name);
    return false;
  }
}

/** The folders of all direct and indirect dependencies, in start order. */
function dependencyFolders(one: Imported, byName: ReadonlyMap<string, Imported>): string[] {
  const dirs = new Set<string>();
  const visit = (current: Imported) => {
    for (const name of current.dependencies) {
      const next = byName.get(name);
      if (!next || dirs.has(next.candidate.dirName)) continue;
      visit(next);
      dirs.add(next.candidate.dirName);
    }
  };
  visit(one);
  return [...dirs];
}
