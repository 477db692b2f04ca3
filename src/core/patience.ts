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
    this.#deadline = Date.now() + PATIENCE_FACTOR * ms;
  }

  /** Whether all of `promises` settled before time ran out; those that did not go on. */
  async allSettled(promises: Iterable<Promise<unknown>>): Promise<boolean> {
    const { promise: stuck, resolve } = Promise.withResolvers<boolean>();
    const wait = () =>
      setTimeout(() => resolve(false), Math.min(this.#ms, Math.max(0, this.#deadline - Date.now())));
    let timer = wait();
    const progress = () => {
      clearTimeout(timer);
      timer = wait();
    };
    const all = Promise.all(Array.from(promises, (promise) => promise.then(progress, progress)));
    const inTime = await Promise.race([all.then(() => true), stuck]);
    clearTimeout(timer);
    return inTime;
  }
}
