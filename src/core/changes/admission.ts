/** How a version comes to serve: it gets a number, is started, and is made reachable under its name. */
import type { Checker } from "../checker.js";
import type { Source } from "../code/digest.js";
import type { Dispatcher } from "../dispatch.js";
import type { Generation } from "../generation.js";
import { changes } from "../lazy.js";
import { shuttingDown } from "../load-failure.js";
import type { ServiceTable } from "../registry/table.js";
import type { LoadOptions } from "../registry-types.js";
import type { ContextHost } from "../version/context.js";
import { retire, startVersion, type Version, versionOf } from "../version.js";
import type { PendingWaits } from "../waiters.js";

export interface AdmissionOptions {
  table: ServiceTable;
  host: ContextHost;
  dispatcher: Dispatcher;
  /** Is told which code has served, so that it need not be tried again. */
  checker: Checker | undefined;
  initTimeoutMs: number;
  /** Those who wait for an import or an `init`. */
  waits: PendingWaits;
}

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #numbers = new Map<string, number>();
  #closed = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** From now on nothing is let in: what comes later is told that the server shuts down. */
  close(): void {
    this.#closed = true;
  }

  /** What is being imported or started is not waited for any more: it is let go of. */
  rejectWaits(): void {
    this.#options.waits.rejectAll(shuttingDown());
  }

  /** Settles like `promise`, or rejects with a `LoadFailure` once nothing is waited for any more. */
  whileOpen<T>(promise: Promise<T>): Promise<T> {
    return this.#options.waits.wait(promise);
  }

  /** Throws a `LoadFailure` when nothing is let in any more. */
  assertOpen(): void {
    if (this.#closed) throw shuttingDown();
  }

  /** Starts an imported generation as the next version of its service. On failure it is disposed. */
  start(generation: Generation, source: Source | undefined): Promise<Version> {
    const { dispatcher: hooks, host, initTimeoutMs, waits } = this.#options;
    const number = this.#nextNumber(generation.module.name);
    return startVersion(number, generation, source, { host, hooks, initTimeoutMs, waits });
  }

  /** Starts an imported generation under its own name, which it returns. On failure it is disposed. */
  async admit(
    generation: Generation,
    dirName: string | undefined,
    source: Source | undefined,
    verify?: LoadOptions["verify"],
  ): Promise<string> {
    const { module } = generation;
    const { table } = this.#options;
    let release: (() => void) | undefined;
    try {
      this.assertOpen();
      release = table.claim(module, dirName);
      table.assertDependencies(module);
    } catch (error) {
      release?.();
      await generation.dispose();
      throw error;
    }
    try {
      // Nobody served under this name before, so what happens during an asynchronous init is for this version.
      generation.scope.active = true;
      const version = await this.start(generation, source);
      if (verify) await changes().verifyVersion(version, verify);
      if (this.#closed) {
        await retire(version, { drainMs: 0, flush: true, untrackedReplies: () => 0 });
        throw shuttingDown();
      }
      table.add(version, dirName);
    } finally {
      release();
    }
    if (source) this.#options.checker?.remember(source.digest);
    return module.name;
  }

  /**
   * Like `admit`, in one synchronous step: for what has no `init` and whose folder nobody else is about to load. Throws
   * a `LoadFailure`; then the generation is still to be disposed.
   */
  admitAtOnce(generation: Generation, dirName: string, source: Source): void {
    this.assertOpen();
    const { checker, dispatcher, table } = this.#options;
    const { module } = generation;
    table.assertFree(module.name);
    table.assertDependencies(module);
    table.add(versionOf(this.#nextNumber(module.name), generation, source, dispatcher), dirName);
    checker?.remember(source.digest);
  }

  #nextNumber(name: string): number {
    const number = (this.#numbers.get(name) ?? 0) + 1;
    this.#numbers.set(name, number);
    return number;
  }
}
