/** The failures of folders that could not be served; each is logged once. */
import { COSTLY_FAILURES, LOAD_FAILURES, type LoadFailure } from "../load-failure.js";
import type { Logger } from "../log.js";
import type { FailureReport } from "../registry-types.js";

/** The latest failure of each folder. */
export class FailureBook {
  readonly #byDir = new Map<string, FailureReport>();
  /** The digests of the dependencies that were started before a failing one. */
  readonly #startedAfter = new WeakMap<FailureReport, ReadonlyMap<string, string | undefined>>();
  readonly #log: Logger;
  #silent = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Stops logging: failures caused by the end of the server say nothing about the services. */
  silence(): void {
    this.#silent = true;
  }

  /** Records a failure; `digest` identifies the code that failed, where known. */
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
   * The recorded failure of code with this digest, if it was expensive to find and would only recur: the code's
   * dependencies are unchanged too. `digestOf` returns a folder's current digest.
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

  /** Restores an earlier record. */
  restore(dir: string, report: FailureReport | undefined): void {
    if (report) this.#byDir.set(dir, report);
    else this.#byDir.delete(dir);
  }

  clear(dir: string): void {
    this.#byDir.delete(dir);
  }

  /** Drops the records of all other folders. */
  keepOnly(dirs: readonly string[]): void {
    const kept = new Set(dirs);
    for (const dir of this.#byDir.keys()) if (!kept.has(dir)) this.#byDir.delete(dir);
  }

  list(): FailureReport[] {
    return [...this.#byDir.values()];
  }
}
