/** Waiting for many things while any of them moves, within a bound. */

/** However much gets done, nobody waits longer than this many times the patience. */
const PATIENCE_FACTOR = 2.5;

/** Waits as long as things get done. One deadline, counted from its making, bounds all waits. */
export class Patience {
  readonly #ms: number;
  readonly #deadline: number;

  /** @param ms How long to wait while nothing gets done, in milliseconds. */
  constructor(ms: number) {
    this.#ms = ms;
    this.#deadline = performance.now() + PATIENCE_FACTOR * ms;
  }

  /** Whether all of `promises` settled before time ran out; those that did not go on. */
  async allSettled(promises: Iterable<Promise<unknown>>): Promise<boolean> {
    const { promise: stuck, resolve } = Promise.withResolvers<boolean>();
    let waitsUntil = 0;
    const progress = () => {
      waitsUntil = Math.min(performance.now() + this.#ms, this.#deadline);
    };
    progress();
    // One timer that looks again when it comes too early: to set one at each step would cost more than the rest here.
    const look = () => {
      const left = waitsUntil - performance.now();
      if (left <= 0) resolve(false);
      else timer = setTimeout(look, left);
    };
    let timer = setTimeout(look, Math.max(0, waitsUntil - performance.now()));
    const all = Promise.all(Array.from(promises, (promise) => promise.then(progress, progress)));
    const inTime = await Promise.race([all.then(() => true), stuck]);
    clearTimeout(timer);
    return inTime;
  }
}
