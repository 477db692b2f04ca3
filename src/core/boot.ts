/** Starts all services of a folder: in parallel where possible, in dependency order where necessary. */

import { type Imported, ImportRound, importChecked } from "./boot/imports.js";
import { dropDuplicates, type Fail, SERVING, startInOrder } from "./boot/in-order.js";
import { dependentsOf, orderByDependencies } from "./boot/order.js";
import { ProgressTimeout } from "./boot/progress-timeout.js";
import type { Checker } from "./checker.js";
import { readSource } from "./code/digest.js";
import type { SourceCache } from "./code/source-cache.js";
import { type ServiceFolder, scanServices } from "./discover.js";
import { messageOf } from "./errors.js";
import { yieldToEventLoop } from "./event-loop.js";
import { changes, loadRest } from "./lazy.js";
import { asLoadFailure, dependencyCycle, missingDependency } from "./load-failure.js";
import type { Registry } from "./registry.js";

/** What `boot` returns once the fast services have started. */
export interface BootResult {
  /** Settles when folders that were too slow for the start have been handled as well. */
  finished: Promise<void>;
}

/**
 * Imports all folders of `servicesDir` in parallel, then starts them. When there has been no progress for
 * `patienceMs`, the remaining ones no longer delay the others: they are added, or reported, later, and requests
 * for them wait until then.
 */
export async function boot(
  registry: Registry,
  servicesDir: string,
  checker: Checker | undefined,
  patienceMs: number,
): Promise<BootResult> {
  const timeout = new ProgressTimeout(patienceMs);
  const digests = new Map<ServiceFolder, string>();
  const fail: Fail = (candidate, error, name = candidate.dirName) => {
    registry.failures.note(name, candidate.dir, asLoadFailure(error), digests.get(candidate));
  };
  const { candidates: found, failures } = scanServices(servicesDir);
  const candidates = found.filter(({ dirName }) => !registry.switches?.isDisabled(dirName));
  for (const { dirName, dir, failure } of failures) registry.failures.note(dirName, dir, failure);

  /** Imported folders with unmet dependencies; retried once all folders have been imported. */
  const blocked: Imported[] = [];
  const cache = registry.openSourceCache();
  const importOne = async (candidate: ServiceFolder) => {
    const { dirName, dir } = candidate;
    const source = cache?.read(dirName, dir) ?? readSource(dir);
    digests.set(candidate, source.digest);
    return importChecked(registry, candidate, source, checker);
  };
  const round = new ImportRound(candidates, importOne, {
    failed: fail,
    late: async (one) => {
      const { dirName } = one.candidate;
      if (one.dependencies.every((need) => registry.table.get(need))) {
        const loading = Promise.resolve(one.trial).then((trial) =>
          changes().load(registry, dirName, { trial, imported: one }),
        );
        registry.starts.add([one.name, dirName], loading);
        await loading;
      } else {
        await one.generation.dispose();
        blocked.push(one);
      }
    },
  });
  await timeout.allSettled(round.tasks.values());
  const unique = dropDuplicates(round.close(), fail);

  const { ordered, missing, cyclic } = orderByDependencies(unique, new Set(registry.table.modules.keys()));
  for (const { node, cycle } of cyclic) {
    await node.generation.dispose();
    fail(node.candidate, dependencyCycle(cycle), node.name);
  }
  for (const { node, needs } of missing) {
    await node.generation.dispose();
    if (round.unsettled.size > 0) blocked.push(node);
    else fail(node.candidate, missingDependency(node.name, needs), node.name);
  }

  const starting = startInOrder(ordered, { registry, checker, fail });
  for (const { name, candidate } of ordered) {
    const serving = starting.get(name) as Promise<boolean>;
    if (serving !== SERVING) registry.starts.add([name, candidate.dirName], serving);
  }
  const started = await timeout.allSettled(starting.values());
  void finishInBackground(registry, [...starting.keys()], cache);
  if (!started) for (const [name, serving] of starting) serving.then(() => registry.copies.keepAll([name]));

  const rest = [...round.latecomers, ...(started ? [] : starting.values())];
  const finished = Promise.all(rest).then(async () => {
    // What arrived late may be what others were missing. Nothing else is retried: it would delay other changes.
    if (rest.length > 0) await loadBlocked(registry, blocked, fail);
  });
  const atRoot = ({ generation }: Imported) => generation.module.mountAtRoot === true;
  for (const dirName of round.unsettled) {
    const known = round.tasks.get(dirName)?.then(() => {
      const isLacking = blocked.some(({ candidate }) => candidate.dirName === dirName);
      if (isLacking) registry.pending.add(dirName, finished, true, () => true);
    });
    registry.pending.add(dirName, known ?? finished, true);
  }
  if (!started) {
    for (const one of ordered) {
      const waitsFor = (service: string) => dependentsOf(service, ordered).includes(one.name);
      registry.pending.add(one.name, starting.get(one.name) ?? finished, atRoot(one), waitsFor);
    }
  }
  if (rest.length > 0) {
    for (const { node } of missing) registry.pending.add(node.name, finished, atRoot(node), () => true);
  }
  return { finished };
}

/** The work that is left after a start. Never rejects. */
async function finishInBackground(
  registry: Registry,
  names: readonly string[],
  cache: SourceCache | undefined,
): Promise<void> {
  const copies = registry.copies.keepAll(names);
  try {
    await yieldToEventLoop();
    loadRest();
    await copies;
    cache?.save();
  } catch (error) {
    console.warn(`reef: after the start: ${messageOf(error)}`);
  }
}

/** Loads folders that waited for late dependencies, and reports those that wait for each other. */
async function loadBlocked(registry: Registry, blocked: readonly Imported[], fail: Fail): Promise<void> {
  const { cyclic } = orderByDependencies(blocked, new Set());
  for (const { node, cycle } of cyclic) fail(node.candidate, dependencyCycle(cycle), node.name);
  const inCycle = new Set(cyclic.map(({ node }) => node));
  const waiting = blocked.filter((one) => !inCycle.has(one));
  await changes().loadLacking(
    registry,
    waiting.map(({ candidate }) => candidate.dirName),
  );
}
