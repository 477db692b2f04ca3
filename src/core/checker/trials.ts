/** New code is tried in child processes before its change takes its place in the queue: one that hangs holds up nobody. */

import { join } from "node:path";
import type { Checker } from "../checker.js";
import { contentDigest } from "../code/digest.js";
import { inHost } from "../generation/host-context.js";
import { changes } from "../lazy.js";
import { asLoadFailure } from "../load-failure.js";
import { assertFolderName } from "../names.js";
import type { ServiceTable } from "../registry/table.js";
import type { Checks, Trial } from "./trial-batch.js";

export type { Trial } from "./trial-batch.js";

/** Trials by folder. They never reject. */
export type TrialsUnderWay = ReadonlyMap<string, Promise<Trial>>;

export class Trials {
  readonly #table: ServiceTable;
  readonly #servicesDir: string;
  readonly #checker: Checker | undefined;
  /** Checks that run now: whoever asks for the same one meanwhile waits for it. */
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(table: ServiceTable, servicesDir: string, checker: Checker | undefined) {
    this.#table = table;
    this.#servicesDir = servicesDir;
    this.#checker = checker;
  }

  /** Begins to try the code of these folders that is unknown, side by side. */
  begin(dirNames: readonly string[]): TrialsUnderWay {
    const checker = this.#checker;
    if (!checker) return new Map();
    const unknown = dirNames.flatMap((dirName) => {
      const digest = this.digestOf(dirName);
      return digest === undefined || checker.knows(digest) ? [] : [{ dirName, digest }];
    });
    return this.beginWith(unknown);
  }

  /** The same for folders whose code has just been read, be it known or not. */
  beginWith(folders: ReadonlyArray<{ dirName: string; digest: string }>): TrialsUnderWay {
    const checker = this.#checker;
    if (!checker) return new Map();
    return inHost(() => new (changes().Batch)(folders, this.#table, this.#sharing(checker)).trials);
  }

  /** What a folder holds; undefined when there is none or it cannot be read, which the change itself will say. */
  digestOf(dirName: string): string | undefined {
    try {
      assertFolderName(dirName);
      return contentDigest(join(this.#servicesDir, dirName));
    } catch {
      return undefined;
    }
  }

  /**
   * As part of a change: throws what the trial found wrong, and tries what it left open, all of it when the folder
   * has changed since.
   */
  async finish(dirName: string, digest: string, trial: Trial | undefined, always = false): Promise<void> {
    const checker = this.#checker;
    if (!checker || (!always && checker.knows(digest))) return;
    const known = trial?.digest === digest ? trial : undefined;
    if (known?.failure) throw known.failure;
    const { importing, starting } = this.#sharing(checker);
    const facts = known?.facts ?? (await importing(dirName, digest));
    const taken = this.#table.get(facts.name);
    if (taken && taken.dirName !== dirName) this.#table.assertFree(facts.name);
    this.#table.assertDependencies(facts);
    if (!facts.hasInit || known?.started) return;
    await starting([...this.#table.startOrder(facts.dependencies), dirName], digest);
  }

  #sharing(checker: Checker): Checks {
    return {
      importing: (dirName, digest) =>
        this.#once(`import ${dirName} ${digest}`, () => checker.import(dirName)),
      starting: (dirNames, digest) =>
        this.#once(`start ${dirNames.join(" ")} ${digest}`, () => this.#start(checker, dirNames)),
    };
  }

  /** What fails may be due to one of the folders that are started before the last one. */
  async #start(checker: Checker, dirNames: string[]): Promise<void> {
    const needed = new Map(dirNames.slice(0, -1).map((dirName) => [dirName, this.digestOf(dirName)]));
    try {
      await checker.start(dirNames);
    } catch (error) {
      const failure = asLoadFailure(error);
      failure.startedAfter = needed;
      throw failure;
    }
  }

  #once<T>(what: string, check: () => Promise<T>): Promise<T> {
    const running = this.#running.get(what) as Promise<T> | undefined;
    const result = running ?? check().finally(() => this.#running.delete(what));
    this.#running.set(what, result);
    return result;
  }
}
