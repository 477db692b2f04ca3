/** Limits unsolicited messages of workers. */

/** The maximum number of unsolicited messages per window. */
const MAX_UNSOLICITED = 1_000;
const WINDOW_MS = 10_000;

/** Counts unsolicited messages of a worker. Late results of abandoned calls are normal; a flood is not. */
export class UnsolicitedMessages {
  #count = 0;
  #since = performance.now();

  /** Allows one more message: the result of an abandoned call. */
  expect(): void {
    this.#count--;
  }

  /** Counts a message. Returns a description of the problem once there are too many. */
  add(): string | null {
    const now = performance.now();
    if (now - this.#since > WINDOW_MS) {
      // Results of abandoned calls may still arrive.
      this.#count = Math.min(this.#count, 0);
      this.#since = now;
    }
    return ++this.#count > MAX_UNSOLICITED
      ? `it sent more than ${MAX_UNSOLICITED} unexpected messages`
      : null;
  }
}
