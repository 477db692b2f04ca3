/** Copies of the code that serves, made for rollbacks beside everything else. */
import { join } from "node:path";
import { yieldToEventLoop } from "../event-loop.js";
import type { ServiceTable } from "../registry/table.js";
import type { Snapshots } from "./snapshots.js";

export class Copies {
  readonly #table: ServiceTable;
  readonly #servicesDir: string;
  readonly #snapshots: () => Snapshots | undefined;
  /** Those that are still being made. */
  #making: Promise<unknown> = Promise.resolve();

  /** `snapshots` is asked when there is something to keep; without any nothing is kept. */
  constructor(table: ServiceTable, servicesDir: string, snapshots: () => Snapshots | undefined) {
    this.#table = table;
    this.#servicesDir = servicesDir;
    this.#snapshots = snapshots;
  }

  /**
   * Keeps copies of the code that serves under these names, one after the other and with room for requests between
   * them. Resolves when all copies that anybody asked for here are made.
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

  /** Keeps a copy of the code that serves under this name; resolves at once when there is one. */
  async keep(name: string): Promise<void> {
    const service = this.#table.get(name);
    const digest = service?.current.source?.digest;
    if (service?.dirName === undefined || digest === undefined) return;
    await this.#snapshots()?.keep(service.dirName, join(this.#servicesDir, service.dirName), digest);
  }
}
