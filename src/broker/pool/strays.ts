/** Messages that nobody asked for, in so many milliseconds. */
const MAX_STRAYS = 1_000;
const WINDOW_MS = 10_000;

/** Counts what a worker sends unasked. Late answers to calls that were given up are ordinary; a flood is not. */
export class Strays {
  #count = 0;
  #since = performance.now();

  /** One more may come: the answer to a call that was given up. */
  expect(): void {
    this.#count--;
  }

  /** Counts one. Returns what is wrong, once it is too many. */
  add(): string | null {
    const now = performance.now();
    if (now - this.#since > WINDOW_MS) {
      // Calls that were given up may still be answered.
      this.#count = Math.min(this.#count, 0);
      this.#since = now;
    }
    return ++this.#count > MAX_STRAYS ? `it sent more than ${MAX_STRAYS} unexpected messages` : null;
  }
}
