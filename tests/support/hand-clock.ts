/** A clock that goes on only when a test says so. */
import type { Clock } from "../../src/core/extension/clock.js";

interface Timer {
  at: number;
  fn: () => void;
}

export class HandClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.#now + ms, fn };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Resolves when the clock has gone on by `ms` milliseconds. */
  readonly sleep = (ms: number): Promise<void> => new Promise((resolve) => this.after(ms, resolve));

  /** Goes on by `ms` milliseconds, and has everything happen that is due until then. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#now = next.at;
      next.fn();
      await settled();
    }
    this.#now = end;
  }

  /** Goes on, from one timer to the next, until `promise` settles. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    promise.then(over, over);
    await settled();
    for (let next = this.#next(); next && !isOver; next = this.#next())
      await this.advance(next.at - this.#now);
    return promise;
  }

  #next(end = Number.POSITIVE_INFINITY): Timer | undefined {
    const [first] = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
    return first;
  }
}

/** Resolves when all that can happen without a timer has. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
