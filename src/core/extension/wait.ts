/** A wait for a handler that pauses while its service has a dialog open and ends at an abort. */

import type { Clock } from "./clock.js";
import type { Dialogs } from "./dialogs.js";
import { keepAlive, TIMED_OUT } from "./timeouts.js";

/** One wait with a time limit that is paused while a dialog is open. */
export class Wait {
  #left: number;
  #since: number | undefined;
  #cancelTimer: (() => void) | undefined;
  #timeOut: ((late: typeof TIMED_OUT) => void) | undefined;

  /** @param ms The time limit in milliseconds, excluding dialogs. */
  constructor(
    private readonly ms: number,
    private readonly dialogs: Dialogs,
    private readonly clock: Clock,
  ) {
    this.#left = ms;
  }

  /** The time used so far, in milliseconds. */
  get used(): number {
    return this.ms - this.#left + (this.#since === undefined ? 0 : this.clock.now() - this.#since);
  }

  /**
   * Resolves with `promise`'s value, or with {@link TIMED_OUT} when the time is up or one of `signals` is
   * aborted.
   */
  async until<T>(promise: Promise<T>, signals: readonly AbortSignal[]): Promise<T | typeof TIMED_OUT> {
    const abort = () => this.#timeOut?.(TIMED_OUT);
    for (const signal of signals) signal.addEventListener("abort", abort, { once: true });
    const timedOut = new Promise<typeof TIMED_OUT>((resolve) => {
      this.#timeOut = resolve;
    });
    const startOrPause = () => (this.dialogs.areOpen ? this.#pause() : this.#start());
    const unfollow = this.dialogs.follow(startOrPause);
    startOrPause();
    try {
      return await keepAlive(Promise.race([promise, timedOut]));
    } finally {
      unfollow();
      this.#timeOut = undefined;
      this.#pause();
      for (const signal of signals) signal.removeEventListener("abort", abort);
    }
  }

  #start(): void {
    if (this.#since !== undefined) return;
    this.#since = this.clock.now();
    this.#cancelTimer = this.clock.after(Math.max(0, this.#left), () => this.#timeOut?.(TIMED_OUT));
  }

  #pause(): void {
    this.#cancelTimer?.();
    if (this.#since === undefined) return;
    this.#left -= this.clock.now() - this.#since;
    this.#since = undefined;
  }
}
