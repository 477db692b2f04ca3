/** Tries the code of several folders in parallel, in whatever order their dependencies require. */

import type { ModuleFacts } from "../checker.js";
import { yieldToEventLoop } from "../event-loop.js";
import { asLoadFailure, type LoadFailure } from "../load-failure.js";
import type { ServiceTable } from "../registry/table.js";

/** The result of trying a folder's code; valid for this digest only. */
export interface Trial {
  digest: string;
  facts?: ModuleFacts;
  /** Whether its `init`, if it has one, has been tried too. */
  started: boolean;
  failure?: LoadFailure;
}

/** The two checks of a folder's code, which `digest` identifies. */
export interface Checks {
  importing(dirName: string, digest: string): Promise<ModuleFacts>;
  starting(dirNames: string[], digest: string): Promise<void>;
}

interface Named {
  dirName: string;
  facts: ModuleFacts;
}

/** A dependency. Module objects have no folder. */
interface Needed {
  dirName: string | undefined;
  dependencies: readonly string[];
}

/** Folders that are tried in parallel and may depend on each other. */
export class Batch {
  readonly trials = new Map<string, Promise<Trial>>();
  readonly #table: ServiceTable;
  readonly #checks: Checks;
  readonly #named = new Map<string, PromiseWithResolvers<Named | undefined>>();
  /**
   * Lookups by name, fixed for the batch even if services change meanwhile: trials could otherwise wait for
   * each other.
   */
  readonly #found = new Map<string, Promise<Needed | undefined>>();
  /** Whether the names of all folders are known. */
  #isComplete = false;

  constructor(
    folders: ReadonlyArray<{ dirName: string; digest: string }>,
    table: ServiceTable,
    checks: Checks,
  ) {
    this.#table = table;
    this.#checks = checks;
    const imports = folders.map(async ({ dirName, digest }) => {
      await yieldToEventLoop();
      try {
        const facts = await checks.importing(dirName, digest);
        this.#name(facts.name).resolve({ dirName, facts });
        return facts;
      } finally {
        // Trials that depend on the service that runs from this folder, and is no longer in it, need not wait
        // for all names.
        const before = table.byFolder(dirName);
        if (before) this.#name(before.name).resolve(undefined);
      }
    });
    for (const [at, { dirName, digest }] of folders.entries()) {
      this.trials.set(dirName, this.#try(dirName, digest, imports[at] as Promise<ModuleFacts>));
    }
    void Promise.allSettled(imports).then(() => {
      this.#isComplete = true;
      for (const name of this.#named.values()) name.resolve(undefined);
    });
  }

  /**
   * Settles with the folder that provides `name` as soon as that is known; with nothing once all names are
   * known.
   */
  #name(name: string): PromiseWithResolvers<Named | undefined> {
    const known = this.#named.get(name) ?? Promise.withResolvers<Named | undefined>();
    this.#named.set(name, known);
    if (this.#isComplete) known.resolve(undefined);
    return known;
  }

  async #try(dirName: string, digest: string, importing: Promise<ModuleFacts>): Promise<Trial> {
    const trial: Trial = { digest, started: false };
    try {
      trial.facts = await importing;
      if (trial.facts.hasInit) trial.started = await this.#start(dirName, digest, trial.facts);
    } catch (error) {
      trial.failure = asLoadFailure(error);
    }
    return trial;
  }

  /** Tries `init`. False when it cannot be started because of other services; the change itself reports that. */
  async #start(dirName: string, digest: string, { name, dependencies }: ModuleFacts): Promise<boolean> {
    const taken = this.#table.get(name);
    if (taken && taken.dirName !== dirName) return false;
    const order = new Set<string>();
    if (!(await this.#collect(dependencies, order, new Set([name])))) return false;
    for (const needed of order) {
      const trial = await this.trials.get(needed);
      if (trial?.failure || (trial?.facts?.hasInit && !trial.started)) return false;
    }
    await this.#checks.starting([...order, dirName], digest);
    return true;
  }

  /**
   * Collects the folders of services and their dependencies in start order; false when one is missing or part
   * of a cycle.
   */
  async #collect(
    names: readonly string[],
    order: Set<string>,
    ancestors: ReadonlySet<string>,
  ): Promise<boolean> {
    for (const name of names) {
      if (ancestors.has(name)) return false;
      const found = await this.#find(name);
      if (!found) return false;
      const { dirName, dependencies } = found;
      if (dirName !== undefined && order.has(dirName)) continue;
      if (!(await this.#collect(dependencies, order, new Set([...ancestors, name])))) return false;
      if (dirName !== undefined) order.add(dirName);
    }
    return true;
  }

  #find(name: string): Promise<Needed | undefined> {
    const found = this.#found.get(name) ?? this.#lookUp(name);
    this.#found.set(name, found);
    return found;
  }

  /**
   * A running service counts with its current dependencies, a folder of this batch with those of its code on
   * disk.
   */
  async #lookUp(name: string): Promise<Needed | undefined> {
    const running = this.#table.get(name);
    if (running && !this.trials.has(running.dirName ?? ""))
      return { dirName: running.dirName, dependencies: running.current.module.dependencies ?? [] };
    const named = await this.#name(name).promise;
    return named && { dirName: named.dirName, dependencies: named.facts.dependencies };
  }
}
