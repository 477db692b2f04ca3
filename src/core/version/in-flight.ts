/** Work that a version does for others and that may still write to its store: event handlers and store calls. */
import { currentWork, endWork, newWork, type Work } from "../generation/host-context.js";
import { Condition, PendingWaits } from "../waiters.js";

/** Tracks unfinished work of one version. */
export class InFlight {
  readonly #owner: object;
  readonly #works = new Set<Work>();
  readonly #over = new Condition();
  #waits = new PendingWaits();

  /** @param owner The version's scope. */
  constructor(owner: object) {
    this.#owner = owner;
  }

  /** Runs `fn` as work that lasts until its result has settled, or it is abandoned. */
  run<T>(fn: () => T): T {
    const work = newWork(this.#owner, this.#over);
    this.#works.add(work);
    let goesOn = false;
    try {
      const result = currentWork.run(work, fn);
      if (!(result instanceof Promise)) return result;
      goesOn = true;
      return this.#waits.wait(result).finally(() => this.#end(work)) as T;
    } finally {
      if (!goesOn) this.#end(work);
    }
  }

  #end(work: Work): void {
    endWork(work);
    this.#works.delete(work);
    this.#over.notify();
  }

  /** Rejects all waits for unfinished work with `error`. The work may go on, but its result is ignored. */
  abandon(error: Error): void {
    const waits = this.#waits;
    this.#waits = new PendingWaits();
    waits.rejectAll(error);
  }

  /**
   * Resolves with true when all current work is over, with false after `ms` milliseconds. Work that itself
   * waits for a change of services does not count unless `includeAwaiting`, since no change may wait for it.
   */
  whenOver(ms: number, includeAwaiting = false): Promise<boolean> {
    const works = [...this.#works];
    const isOver = (work: Work) => work.isOver || (!includeAwaiting && work.awaitedChanges > 0);
    return this.#over.wait(() => works.every(isOver), ms);
  }
}
