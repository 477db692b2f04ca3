/** Brings up a whole services folder at once: side by side where possible, in dependency order where needed. */
import type { Checker } from "./checker.js";
import { asLoadFailure, type Candidate, scanServices } from "./discover.js";
import type { Generation } from "./generation.js";
import { LoadFailure } from "./load-failure.js";
import { orderByDependencies } from "./order.js";
import { type Registry, readSource } from "./registry.js";
import { loadLacking } from "./sync.js";
import { dependencyCycle, missingDependency } from "./table.js";
import type { Source } from "./version.js";

/** A folder whose code has been imported. */
interface Imported {
  candidate: Candidate;
  generation: Generation;
  source: Source;
  name: string;
  dependencies: string[];
}

/** However much gets done, the start waits no longer than this many times its patience. */
const PATIENCE_FACTOR = 2.5;

export interface BootResult {
  /** Settles when folders that were too slow for the start have been dealt with as well. */
  finished: Promise<void>;
}

/**
 * Imports every folder of `servicesDir` at the same time, then starts them. When nothing has moved for
 * `patienceMs`, those that are not done no longer hold up the others: they are taken in, or reported, later, and
 * requests for them wait until then.
 */
export async function boot(
  registry: Registry,
  servicesDir: string,
  checker: Checker | undefined,
  patienceMs: number,
): Promise<BootResult> {
  const deadline = Date.now() + PATIENCE_FACTOR * patienceMs;
  const { candidates: found, failures } = scanServices(servicesDir);
  const candidates = found.filter(({ dirName }) => !registry.switches?.isDisabled(dirName));
  for (const { dirName, dir, failure } of failures) registry.failures.note(dirName, dir, failure);

  const fail = (candidate: Candidate, error: unknown, name = candidate.dirName) => {
    registry.failures.note(name, candidate.dir, asLoadFailure(error));
  };

  let imported: Imported[] = [];
  let open = true;
  /** Those that need what has not come yet. */
  const lacking: Imported[] = [];
  /** Loading by itself waits in the queue like any other change. */
  const loadLater = async (one: Imported) => {
    await one.generation.dispose();
    if (one.dependencies.every((need) => registry.table.get(need))) {
      await registry.view().load(one.candidate.dirName);
    } else lacking.push(one);
  };
  const unsettled = new Set(candidates.map(({ dirName }) => dirName));
  const tasks = new Map<string, Promise<void>>();
  const waitingFor = new Map<string, string>();
  /** Waits for the folder that is called like this one's service, unless that would be waiting for itself. */
  const yieldTo = async ({ name, candidate: { dirName } }: Imported) => {
    for (let next: string | undefined = name; next !== undefined; next = waitingFor.get(next)) {
      if (next === dirName) return;
    }
    waitingFor.set(dirName, name);
    await tasks.get(name);
    waitingFor.delete(dirName);
  };
  for (const candidate of candidates) {
    const task = async () => {
      try {
        const one = await importOne(registry, candidate, checker);
        if (open) imported.push(one);
        else {
          await yieldTo(one);
          await loadLater(one);
        }
      } catch (error) {
        fail(candidate, error);
      }
      unsettled.delete(candidate.dirName);
    };
    tasks.set(candidate.dirName, task());
  }
  const inTime = await settledInTime([...tasks.values()], patienceMs, deadline);
  open = false;
  // The folder that is called like its service has the older right to the name, also when it is slow.
  const yielding = imported.filter(
    ({ name, candidate }) => name !== candidate.dirName && unsettled.has(name),
  );
  imported = imported.filter((one) => !yielding.includes(one));
  const late: Promise<unknown>[] = inTime ? [] : [...tasks.values()];
  for (const one of yielding) {
    const later = async () => {
      await yieldTo(one);
      await loadLater(one);
    };
    late.push(later().catch((error) => fail(one.candidate, error)));
  }

  const unique = dropDuplicates(imported, fail);
  const { ordered, missing, cyclic } = orderByDependencies(unique, new Set(registry.table.modules.keys()));
  for (const { node, cycle } of cyclic) {
    await node.generation.dispose();
    fail(node.candidate, dependencyCycle(cycle), node.name);
  }
  for (const { node, needs } of missing) {
    await node.generation.dispose();
    if (unsettled.size > 0) lacking.push(node);
    else fail(node.candidate, missingDependency(node.name, needs), node.name);
  }

  const starting = new Map<string, Promise<boolean>>();
  for (const one of ordered) starting.set(one.name, start(registry, one, starting, checker, unique, fail));
  const started = await settledInTime([...starting.values()], patienceMs, deadline);

  const rest = [...late, ...(started ? [] : starting.values())];
  const finished = Promise.all(rest).then(async () => {
    // What came late may be what others were missing. Nothing else is tried again: it would hold up other changes.
    if (rest.length === 0) return;
    for (const { node, cycle } of orderByDependencies(lacking, new Set()).cyclic) {
      lacking.splice(lacking.indexOf(node), 1);
      fail(node.candidate, dependencyCycle(cycle), node.name);
    }
    const dirNames = lacking.map(({ candidate }) => candidate.dirName);
    await registry.enqueue(() => loadLacking(registry, dirNames));
  });
  for (const [dirName, task] of tasks) if (unsettled.has(dirName)) registry.expect(dirName, task, true);
  const atRoot = ({ generation }: Imported) => generation.module.mountAtRoot === true;
  if (!started) {
    for (const one of ordered) {
      registry.expect(one.name, starting.get(one.name) ?? Promise.resolve(), atRoot(one));
    }
  }
  if (rest.length > 0) for (const { node } of missing) registry.expect(node.name, finished, atRoot(node));
  return { finished };
}

async function importOne(
  registry: Registry,
  candidate: Candidate,
  checker: Checker | undefined,
): Promise<Imported> {
  const { dir, dirName } = candidate;
  const source = readSource(dir);
  if (checker && !checker.knows(source.digest)) await checker.import(dirName);
  const generation = await registry.importFolder(dirName);
  const { name, dependencies = [] } = generation.module;
  return { candidate, generation, source, name, dependencies };
}

type Fail = (candidate: Candidate, error: unknown, name?: string) => void;

/** Of several folders with one name, the one called like it is kept, else the first. */
function dropDuplicates(imported: Imported[], fail: Fail): Imported[] {
  imported.sort((a, b) => (a.candidate.dirName < b.candidate.dirName ? -1 : 1));
  const byName = new Map<string, Imported>();
  for (const one of imported) {
    const rival = byName.get(one.name);
    if (!rival || one.candidate.dirName === one.name) byName.set(one.name, one);
  }
  return imported.filter((one) => {
    const owner = byName.get(one.name);
    if (!owner || owner === one) return true;
    void one.generation.dispose();
    const message = `the name "${one.name}" is taken by folder "${owner.candidate.dirName}".`;
    fail(one.candidate, new LoadFailure("DUPLICATE_NAME", "order", message));
    return false;
  });
}

/** Starts one service once those it needs have started. Resolves with whether it serves. */
async function start(
  registry: Registry,
  one: Imported,
  starting: ReadonlyMap<string, Promise<boolean>>,
  checker: Checker | undefined,
  all: readonly Imported[],
  fail: Fail,
): Promise<boolean> {
  const { candidate, dependencies, generation, name, source } = one;
  const results = await Promise.all(dependencies.map(async (need) => (await starting.get(need)) ?? true));
  const needs = dependencies.filter((_, index) => !results[index]);
  try {
    if (needs.length > 0) throw missingDependency(name, needs);
    if (generation.module.init && checker && !checker.knows(source.digest)) {
      await checker.start([...chain(one, all), candidate.dirName]);
    }
  } catch (error) {
    await generation.dispose();
    fail(candidate, error, name);
    return false;
  }
  try {
    if (registry.table.byFolder(candidate.dirName)) {
      // Somebody asked for it meanwhile.
      await generation.dispose();
      return true;
    }
    await registry.admit(generation, candidate.dirName, source);
    return true;
  } catch (error) {
    fail(candidate, error, name);
    return false;
  }
}

/** Folders of everything that `one` depends on, dependencies first. */
function chain(one: Imported, all: readonly Imported[]): string[] {
  const dirs = new Set<string>();
  const visit = (current: Imported) => {
    for (const name of current.dependencies) {
      const next = all.find((candidate) => candidate.name === name);
      if (!next || dirs.has(next.candidate.dirName)) continue;
      visit(next);
      dirs.add(next.candidate.dirName);
    }
  };
  visit(one);
  return [...dirs];
}

/**
 * Whether all of `promises` settled before `patienceMs` milliseconds went by in which none of them did, and before
 * `deadline` (milliseconds since the epoch).
 */
async function settledInTime(
  promises: Promise<unknown>[],
  patienceMs: number,
  deadline: number,
): Promise<boolean> {
  const { promise: stuck, resolve } = Promise.withResolvers<boolean>();
  const wait = () =>
    setTimeout(() => resolve(false), Math.min(patienceMs, Math.max(0, deadline - Date.now())));
  let timer = wait();
  const progress = () => {
    clearTimeout(timer);
    timer = wait();
  };
  const all = Promise.all(promises.map((promise) => promise.then(progress, progress))).then(() => true);
  const inTime = await Promise.race([all, stuck]);
  clearTimeout(timer);
  return inTime;
}
