/** Which folders could not be served, and why. One line in the log for each. */
import { COSTLY_FAILURES, LOAD_FAILURES, type LoadFailure } from "../load-failure.js";
import type { Logger } from "../log.js";
import type { FailureReport } from "../registry-types.js";

/** The latest failure of each folder. */
export class FailureBook {
  readonly #byDir = new Map<string, FailureReport>();
  /** What the folders held, by digest, that were started before the one that failed. */
  readonly #startedAfter = new WeakMap<FailureReport, ReadonlyMap<string, string | undefined>>();
  readonly #log: Logger;
  #silent = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** From now on nothing is logged: what fails because the server ends says nothing about the service. */
  silence(): void {
    this.#silent = true;
  }

  /** `digest` is of the code that failed, where it is known. */
  note(name: string, dir: string, failure: LoadFailure, digest?: string): void {
    const report: FailureReport = {
      name,
      dir,
      step: failure.step,
      code: failure.code,
      error: failure.message,
      at: new Date().toISOString(),
      ...(digest !== undefined && { digest }),
    };
    const known = this.#byDir.get(dir);
    this.#byDir.set(dir, report);
    if (failure.startedAfter) this.#startedAfter.set(report, failure.startedAfter);
    if (!this.#silent && known?.error !== report.error) {
      this.#log.warn(`${dir}: skipped: ${failure.message} [${failure.code}] ${LOAD_FAILURES[failure.code]}`);
    }
  }

  get(dir: string): FailureReport | undefined {
    return this.#byDir.get(dir);
  }

  /**
   * The failure of a folder's code with this digest, if trying it again unasked would only take time again: what it
   * needs is as it was too. `digestOf` tells what a folder holds now.
   */
  costly(
    dir: string,
    digest: string,
    digestOf: (dirName: string) => string | undefined,
  ): FailureReport | undefined {
    const known = this.#byDir.get(dir);
    if (known?.digest !== digest || !COSTLY_FAILURES.has(known.code)) return undefined;
    const needed = [...(this.#startedAfter.get(known) ?? [])];
    return needed.every(([dirName, before]) => digestOf(dirName) === before) ? known : undefined;
  }

  /** Makes the record of a folder what it was. */
  restore(dir: string, report: FailureReport | undefined): void {
    if (report) this.#byDir.set(dir, report);
    else this.#byDir.delete(dir);
  }

  clear(dir: string): void {
    this.#byDir.delete(dir);
  }

  /** Forgets folders that are gone. */
  keepOnly(dirs: readonly string[]): void {
    const kept = new Set(dirs);
    for (const dir of this.#byDir.keys()) if (!kept.has(dir)) this.#byDir.delete(dir);
  }

  list(): FailureReport[] {
    return [...this.#byDir.values()];
  }
}
