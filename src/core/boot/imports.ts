/** The first phase of a start: the code of all folders is imported in parallel. */

import type { Trial } from "../checker/trials.js";
import type { Checker, ModuleFacts } from "../checker.js";
import type { Source } from "../code/digest.js";
import { importUnchanged } from "../code/unchanged.js";
import type { ServiceFolder } from "../discover.js";
import type { Generation } from "../generation.js";
import { asLoadFailure } from "../load-failure.js";
import type { Registry } from "../registry.js";

/** A folder whose code has been imported, and not started. */
export interface Imported {
  candidate: ServiceFolder;
  generation: Generation;
  source: Source;
  name: string;
  dependencies: string[];
  /** The result of the code's trial, if it needed one; includes its `init` where that could be tried at once. */
  trial?: Promise<Trial>;
}

/** What an import round reports. */
export interface ImportRoundEvents {
  /**
   * The import finished after the round was closed, and the folder with the prior claim to the name has been
   * handled.
   */
  late(one: Imported): Promise<void>;
  /** The import failed, at any time. */
  failed(candidate: ServiceFolder, error: unknown): void;
}

/** Imports folders in parallel. Once it is closed, folders that are not done no longer delay the others. */
export class ImportRound {
  /** By folder name: settles when the folder has been handled. Never rejects. */
  readonly tasks = new Map<string, Promise<void>>();
  /** Folders that have not been handled yet. */
  readonly unsettled: Set<string>;
  /** Settle when late folders have been handled. */
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

  /** Ends the round and returns what has been imported. */
  close(): Imported[] {
    this.#open = false;
    if (this.unsettled.size > 0) this.latecomers.push(...this.tasks.values());
    // A folder with the service's own name has the prior claim to it, even when it is slow.
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

  /** Waits for the folder with the service's name, unless that would be a wait for itself. */
  async #waitForNamesake({ name, candidate: { dirName } }: Imported): Promise<void> {
    for (let next: string | undefined = name; next !== undefined; next = this.#waitingFor.get(next)) {
      if (next === dirName) return;
    }
    this.#waitingFor.set(dirName, name);
    await this.tasks.get(name);
    this.#waitingFor.delete(dirName);
  }
}

/** Imports a folder's current code, which `source` identifies. Unknown code is tried by `checker` first. */
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

/** Tries an `init` without dependencies while other folders are still being imported. Never rejects. */
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
