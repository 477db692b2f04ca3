/** A timeout that is extended by progress. */

/** The upper bound of all waits, as a multiple of the timeout. */
const MAX_FACTOR = 2.5;

/** Waits for promises as long as some of them settle. One deadline, counted from construction, bounds all waits. */
export class ProgressTimeout {
  readonly #ms: number;
  readonly #deadline: number;

  /** @param ms How long to wait without progress, in milliseconds. */
  constructor(ms: number) {
    this.#ms = ms;
    this.#deadline = performance.now() + MAX_FACTOR * ms;
  }

  /** Resolves with whether all of `promises` settled in time; those that did not are left running. */
  async allSettled(promises: Iterable<Promise<unknown>>): Promise<boolean> {
    const { promise: timedOut, resolve } = Promise.withResolvers<boolean>();
    let until = 0;
    const progress = () => {
      until = Math.min(performance.now() + this.#ms, this.#deadline);
    };
    progress();
    // One timer that re-arms itself when it fires too early: setting one at each step would dominate the cost.
    const check = () => {
      const remaining = until - performance.now();
      if (remaining <= 0) resolve(false);
      else timer = setTimeout(check, remaining);
    };
    let timer = setTimeout(check, Math.max(0, until - performance.now()));
    const all = Promise.all(Array.from(promises, (promise) => promise.then(progress, progress)));
    const isDone = await Promise.race([all.then(() => true), timedOut]);
    clearTimeout(timer);
    return isDone;
  }
}
