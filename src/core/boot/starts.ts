/** Starts of services that are under way beside the queue of changes; a change that concerns one waits for it. */
export class Starts {
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** Notes a start, which may fail, under the names that it may be asked for by: the service's and its folder's. */
  add(names: readonly string[], started: Promise<unknown>): void {
    const settled: Promise<unknown> = Promise.allSettled([started]).then(() => {
      for (const name of names) {
        if (this.#underWay.get(name) === settled) this.#underWay.delete(name);
      }
    });
    for (const name of names) this.#underWay.set(name, settled);
  }

  /** Whether a start is under way: of this service or folder, or of any. */
  has(name?: string): boolean {
    return name === undefined ? this.#underWay.size > 0 : this.#underWay.has(name);
  }

  /** Settles when the start of this service or folder is over; without a name, when all are. */
  async over(name?: string): Promise<void> {
    if (name === undefined) await Promise.allSettled(this.#underWay.values());
    else await Promise.allSettled([this.#underWay.get(name)]);
  }
}
