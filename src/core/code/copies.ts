/** Keeps copies of serving code for rollbacks, in the background. */
import { join } from "node:path";
import { yieldToEventLoop } from "../event-loop.js";
import type { ServiceTable } from "../registry/table.js";
import type { Snapshots } from "./snapshots.js";

/** Schedules copies of the code that serves. */
export class Copies {
  readonly #table: ServiceTable;
  readonly #servicesDir: string;
  readonly #snapshots: () => Snapshots | undefined;
  /** Settles when all scheduled copies are made. */
  #making: Promise<unknown> = Promise.resolve();

  /** @param snapshots Called when there is something to keep; undefined when nothing is kept on disk. */
  constructor(table: ServiceTable, servicesDir: string, snapshots: () => Snapshots | undefined) {
    this.#table = table;
    this.#servicesDir = servicesDir;
    this.#snapshots = snapshots;
  }

  /**
   * Copies the code of these services one by one, yielding to requests in between. Resolves when all copies
   * scheduled so far have been made.
   */
  async keepAll(names: Iterable<string>): Promise<void> {
    const making = this.#keepEach(names);
    this.#making = Promise.all([this.#making, making]);
    await this.#making;
  }

  async #keepEach(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      await yieldToEventLoop();
      await this.keep(name);
    }
  }

  /** Copies the code of one service; resolves at once if there is a copy. */
  async keep(name: string): Promise<void> {
    const service = this.#table.get(name);
    const digest = service?.current.source?.digest;
    if (service?.dirName === undefined || digest === undefined) return;
    await this.#snapshots()?.keep(service.dirName, join(this.#servicesDir, service.dirName), digest);
  }
}
