/** What a version is doing for others, and may still store something for. */
import { newWork, type Work, working } from "./host-context.js";

export class InFlight {
  readonly #works = new Set<Work>();
  readonly #looking = new Set<() => void>();

  /** Runs something that is under way until what it returns has settled. */
  run<T>(fn: () => T): T {
    const work = newWork();
    const end = () => {
      this.#works.delete(work);
      for (const look of this.#looking) look();
    };
    this.#works.add(work);
    let goesOn = false;
    try {
      const result = working.run(work, fn);
      goesOn = result instanceof Promise;
      if (result instanceof Promise) result.then(end, end);
      return result;
    } finally {
      if (!goesOn) end();
    }
  }

  /**
   * Resolves with `true` when nothing is under way but what waits for a change of services itself, with `false` after
   * `ms` milliseconds.
   */
  async whenNone(ms: number): Promise<boolean> {
    if (this.#isNone) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), ms);
    const look = () => {
      if (this.#isNone) resolve(true);
    };
    this.#looking.add(look);
    const happened = await promise;
    clearTimeout(timer);
    this.#looking.delete(look);
    return happened;
  }

  get #isNone(): boolean {
    return [...this.#works].every(({ asks }) => asks > 0);
  }
}
