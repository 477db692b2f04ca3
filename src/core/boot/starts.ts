/** Starts of services that run outside the queue of changes. */

/** Tracks starts in progress, so that changes to the same service wait for them. */
export class Starts {
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** Registers a start, which may fail, under the names of its service and its folder. */
  add(names: readonly string[], started: Promise<unknown>): void {
    const settled: Promise<unknown> = Promise.allSettled([started]).then(() => {
      for (const name of names) {
        if (this.#underWay.get(name) === settled) this.#underWay.delete(name);
      }
    });
    for (const name of names) this.#underWay.set(name, settled);
  }

  /** Whether a start is in progress: of this service or folder, or of any. */
  has(name?: string): boolean {
    return name === undefined ? this.#underWay.size > 0 : this.#underWay.has(name);
  }

  /** Settles when the start of this service or folder is over; without a name, when all starts are. */
  async over(name?: string): Promise<void> {
    if (name === undefined) await Promise.allSettled(this.#underWay.values());
    else await Promise.allSettled([this.#underWay.get(name)]);
  }
}
