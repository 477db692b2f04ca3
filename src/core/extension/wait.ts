/** Waiting for a handler: for so long, but not while its service asks the person, and not after an abort. */
import { keepAlive, LATE } from "./alive.js";
import type { Clock } from "./clock.js";
import type { Dialogs } from "./dialogs.js";

/** One wait. Its time stands still while one of `dialogs` is open. */
export class Wait {
  #left: number;
  #since: number | undefined;
  #forgo: (() => void) | undefined;
  #giveUp: ((late: typeof LATE) => void) | undefined;

  /** @param ms How long, in milliseconds, dialogs not counted. */
  constructor(
    private readonly ms: number,
    private readonly dialogs: Dialogs,
    private readonly clock: Clock,
  ) {
    this.#left = ms;
  }

  /** How much of its time has passed. */
  get used(): number {
    return this.ms - this.#left + (this.#since === undefined ? 0 : this.clock.now() - this.#since);
  }

  /** Resolves with `promise`'s value, or with {@link LATE} when the time is up or one of `signals` is aborted. */
  async until<T>(promise: Promise<T>, signals: readonly AbortSignal[]): Promise<T | typeof LATE> {
    const abort = () => this.#giveUp?.(LATE);
    for (const signal of signals) signal.addEventListener("abort", abort, { once: true });
    const given = new Promise<typeof LATE>((resolve) => {
      this.#giveUp = resolve;
    });
    const goOrStop = () => (this.dialogs.areOpen ? this.#stop() : this.#go());
    const unfollow = this.dialogs.follow(goOrStop);
    goOrStop();
    try {
      return await keepAlive(Promise.race([promise, given]));
    } finally {
      unfollow();
      this.#giveUp = undefined;
      this.#stop();
      for (const signal of signals) signal.removeEventListener("abort", abort);
    }
  }

  #go(): void {
    if (this.#since !== undefined) return;
    this.#since = this.clock.now();
    this.#forgo = this.clock.after(Math.max(0, this.#left), () => this.#giveUp?.(LATE));
  }

  #stop(): void {
    this.#forgo?.();
    if (this.#since === undefined) return;
    this.#left -= this.clock.now() - this.#since;
    this.#since = undefined;
  }
}
