/**
 * Tries new code in child processes before its change is queued, so that code that hangs delays no other
 * change.
 */

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

/** Trials in progress, by folder. They never reject. */
export type TrialsUnderWay = ReadonlyMap<string, Promise<Trial>>;

/** Runs trials and shares those that are in progress. */
export class Trials {
  readonly #table: ServiceTable;
  readonly #servicesDir: string;
  readonly #checker: Checker | undefined;
  /** Checks in progress, shared by callers that request the same one. */
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(table: ServiceTable, servicesDir: string, checker: Checker | undefined) {
    this.#table = table;
    this.#servicesDir = servicesDir;
    this.#checker = checker;
  }

  /** Begins to try the unknown code among these folders, in parallel. */
  begin(dirNames: readonly string[]): TrialsUnderWay {
    const checker = this.#checker;
    if (!checker) return new Map();
    const unknown = dirNames.flatMap((dirName) => {
      const digest = this.digestOf(dirName);
      return digest === undefined || checker.knows(digest) ? [] : [{ dirName, digest }];
    });
    return this.beginWith(unknown);
  }

  /** Begins to try folders that have just been read, even if their code is known. */
  beginWith(folders: ReadonlyArray<{ dirName: string; digest: string }>): TrialsUnderWay {
    const checker = this.#checker;
    if (!checker) return new Map();
    return inHost(() => new (changes().Batch)(folders, this.#table, this.#sharing(checker)).trials);
  }

  /** The digest of a folder; undefined when it is missing or unreadable, which the change itself reports. */
  digestOf(dirName: string): string | undefined {
    try {
      assertFolderName(dirName);
      return contentDigest(join(this.#servicesDir, dirName));
    } catch {
      return undefined;
    }
  }

  /**
   * Completes a trial as part of a change: throws its failure, and tries whatever it left open, or everything
   * if the folder has changed since. Known code is skipped unless `always`.
   */
  async finish(
    dirName: string,
    digest: string,
    trial: Trial | undefined,
    { always = false }: { always?: boolean } = {},
  ): Promise<void> {
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

  /** Starts folders. A failure records the dependencies' digests, since one of them may be the cause. */
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
