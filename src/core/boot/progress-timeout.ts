/** Waiting for many things while any of them moves, within a bound. */

/** However much gets done, nobody waits longer than this many times the patience. */
const MAX_FACTOR = 2.5;

/** Waits as long as things get done. One deadline, counted from its making, bounds all waits. */
export class ProgressTimeout {
  readonly #ms: number;
  readonly #deadline: number;

  /** @param ms How long to wait while nothing gets done, in milliseconds. */
  constructor(ms: number) {
    this.#ms = ms;
    this.#deadline = performance.now() + MAX_FACTOR * ms;
  }

  /** Whether all of `promises` settled before time ran out; those that did not go on. */
  async allSettled(promises: Iterable<Promise<unknown>>): Promise<boolean> {
    const { promise: timedOut, resolve } = Promise.withResolvers<boolean>();
    let until = 0;
    const progress = () => {
      until = Math.min(performance.now() + this.#ms, this.#deadline);
    };
    progress();
    // One timer that looks again when it comes too early: to set one at each step would cost more than the rest here.
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
