/** The first half of a start: the code of every folder is imported, side by side. */

import type { Trial } from "../checker/trials.js";
import type { Checker, ModuleFacts } from "../checker.js";
import type { Source } from "../code/digest.js";
import { importUnchanged } from "../code/unchanged.js";
import type { ServiceFolder } from "../discover.js";
import type { Generation } from "../generation.js";
import { asLoadFailure } from "../load-failure.js";
import type { Registry } from "../registry.js";

/** A folder whose code has been imported. */
export interface Imported {
  candidate: ServiceFolder;
  generation: Generation;
  source: Source;
  name: string;
  dependencies: string[];
  /** What came of trying its code, where it had to be tried; of its `init` too, where that could be begun at once. */
  trial?: Promise<Trial>;
}

export interface ImportRoundEvents {
  /** The code arrived after the round was closed, and whoever has the older right to its name has been dealt with. */
  late(one: Imported): Promise<void>;
  failed(candidate: ServiceFolder, error: unknown): void;
}

/** Imports folders at the same time. When it is closed, those that are not done no longer hold up the others. */
export class ImportRound {
  /** Settles for each folder, by its name, when it has been dealt with. Never rejects. */
  readonly tasks = new Map<string, Promise<void>>();
  /** Folders that have not been dealt with. */
  readonly unsettled: Set<string>;
  /** Settle when what came late has been dealt with. */
  readonly latecomers: Promise<void>[] = [];
  readonly #events: ImportRoundEvents;
  readonly #imported: Imported[] = [];
  readonly #waitingFor = new Map<string, string>();
  #open = true;

  constructor(
    candidates: readonly ServiceFolder[],
    importOne: (candidate: ServiceFolder) => Promise<Imported>,
    events: ImportRoundEvents,
  ) {
    this.#events = events;
    this.unsettled = new Set(candidates.map(({ dirName }) => dirName));
    for (const candidate of candidates) this.tasks.set(candidate.dirName, this.#task(candidate, importOne));
  }

  async #task(
    candidate: ServiceFolder,
    importOne: (candidate: ServiceFolder) => Promise<Imported>,
  ): Promise<void> {
    try {
      const one = await importOne(candidate);
      if (this.#open) this.#imported.push(one);
      else await this.#handleLate(one);
    } catch (error) {
      this.#events.failed(candidate, error);
    }
    this.unsettled.delete(candidate.dirName);
  }

  /** Ends the round and returns what has arrived. */
  close(): Imported[] {
    this.#open = false;
    if (this.unsettled.size > 0) this.latecomers.push(...this.tasks.values());
    // The folder that is called like its service has the older right to the name, also when it is slow.
    const mustWait = ({ name, candidate }: Imported) =>
      name !== candidate.dirName && this.unsettled.has(name);
    for (const one of this.#imported.filter(mustWait)) {
      const late = this.#handleLate(one);
      this.latecomers.push(late.catch((error) => this.#events.failed(one.candidate, error)));
    }
    return this.#imported.filter((one) => !mustWait(one));
  }

  async #handleLate(one: Imported): Promise<void> {
    await this.#waitForNamesake(one);
    await this.#events.late(one);
  }

  /** Waits for the folder that is called like this one's service, unless that would be waiting for itself. */
  async #waitForNamesake({ name, candidate: { dirName } }: Imported): Promise<void> {
    for (let next: string | undefined = name; next !== undefined; next = this.#waitingFor.get(next)) {
      if (next === dirName) return;
    }
    this.#waitingFor.set(dirName, name);
    await this.tasks.get(name);
    this.#waitingFor.delete(dirName);
  }
}

/** Imports a folder's present code, which `source` identifies, tried by `checker` first unless it has served before. */
export async function importChecked(
  registry: Registry,
  candidate: ServiceFolder,
  source: Source,
  checker: Checker | undefined,
): Promise<Imported> {
  const { dirName } = candidate;
  if (checker === undefined || checker.knows(source.digest)) {
    return imported(candidate, source, await registry.importFolder(dirName));
  }
  const facts = await checker.import(dirName);
  const trial = tryInit({ digest: source.digest, facts, started: false }, checker, dirName);
  const generation = await importUnchanged(registry, dirName, source);
  return { ...imported(candidate, source, generation), trial };
}

/** What needs nobody is tried while others are still being imported. Never rejects. */
async function tryInit(
  trial: Trial & { facts: ModuleFacts },
  checker: Checker,
  dirName: string,
): Promise<Trial> {
  const { hasInit, dependencies } = trial.facts;
  if (!hasInit || dependencies.length > 0) return trial;
  try {
    await checker.start([dirName]);
    return { ...trial, started: true };
  } catch (error) {
    return { ...trial, failure: asLoadFailure(error) };
  }
}

function imported(candidate: ServiceFolder, source: Source, generation: Generation): Imported {
  const { name, dependencies = [] } = generation.module;
  return { candidate, generation, source, name, dependencies };
}
