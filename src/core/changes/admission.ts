/** How a version begins to serve: it is numbered, started, and made reachable under its name. */
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

/** What admission needs of the registry. */
export interface AdmissionOptions {
  table: ServiceTable;
  host: ContextHost;
  dispatcher: Dispatcher;
  /** Remembers code that has served, so that it is not tried again. */
  checker: Checker | undefined;
  initTimeoutMs: number;
  /** Waits for imports and `init` functions. */
  waits: PendingWaits;
}

/** Lets versions into service, until the server shuts down. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #numbers = new Map<string, number>();
  #closed = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Refuses all further versions with `SHUTTING_DOWN`. */
  close(): void {
    this.#closed = true;
  }

  /** Rejects all waits for imports and starts in progress. */
  rejectWaits(): void {
    this.#options.waits.rejectAll(shuttingDown());
  }

  /** Settles like `promise`, or rejects with a `LoadFailure` once waits are rejected. */
  whileOpen<T>(promise: Promise<T>): Promise<T> {
    return this.#options.waits.wait(promise);
  }

  /** @throws LoadFailure `SHUTTING_DOWN` after `close()`. */
  assertOpen(): void {
    if (this.#closed) throw shuttingDown();
  }

  /** Starts an imported generation as the next version of its service. Disposes it on failure. */
  start(generation: Generation, source: Source | undefined): Promise<Version> {
    const { dispatcher: hooks, host, initTimeoutMs, waits } = this.#options;
    const number = this.#nextNumber(generation.module.name);
    return startVersion(number, generation, source, { host, hooks, initTimeoutMs, waits });
  }

  /** Starts an imported generation as a new service and returns its name. Disposes it on failure. */
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
      // No other version serves under this name, so events during an asynchronous init are for this one.
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
   * Synchronous `admit`, for generations without `init` whose folder is not being loaded by anybody else.
   *
   * @throws LoadFailure; the caller then disposes the generation.
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
