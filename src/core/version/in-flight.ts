/** What a version is doing for others, and may still store something for. */
import { currentWork, endWork, newWork, type Work } from "../generation/host-context.js";
import { Condition, PendingWaits } from "../waiters.js";

export class InFlight {
  readonly #owner: object;
  readonly #works = new Set<Work>();
  readonly #over = new Condition();
  #waits = new PendingWaits();

  /** `owner` is the scope of the version. */
  constructor(owner: object) {
    this.#owner = owner;
  }

  /** Runs something that is under way until what it returns has settled, or it is abandoned. */
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

  /** Whoever waits for something that is under way is told `error`: it may go on, but counts for nothing. */
  abandon(error: Error): void {
    const waits = this.#waits;
    this.#waits = new PendingWaits();
    waits.rejectAll(error);
  }

  /**
   * Resolves with `true` when everything is over that is under way now, with `false` after `ms` milliseconds. What waits
   * for a change of services itself counts only with `includeAwaiting`: no change may wait for that.
   */
  whenOver(ms: number, includeAwaiting = false): Promise<boolean> {
    const works = [...this.#works];
    const isOver = (work: Work) => work.isOver || (!includeAwaiting && work.awaitedChanges > 0);
    return this.#over.wait(() => works.every(isOver), ms);
  }
}
