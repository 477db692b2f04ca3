/** Waiting for a handler: for so long, but not while it asks the person at the terminal, and not after an abort. */
import { keepAlive, LATE } from "./alive.js";

/** One wait. Its time stands still while a dialog is open: people take the time they take. */
export class Wait {
  #left: number;
  #dialogs = 0;
  #since: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #giveUp: ((late: typeof LATE) => void) | undefined;

  /** @param ms How long, in milliseconds, dialogs not counted. */
  constructor(private readonly ms: number) {
    this.#left = ms;
  }

  /** How much of its time has passed. */
  get used(): number {
    return this.ms - this.#left + (this.#since === undefined ? 0 : performance.now() - this.#since);
  }

  /** A dialog is open until `answer` settles. */
  readonly dialog = (answer: Promise<unknown>): void => {
    this.#dialogs++;
    this.#stop();
    const close = () => {
      this.#dialogs--;
      this.#go();
    };
    answer.then(close, close);
  };

  /** Resolves with `promise`'s value, or with {@link LATE} when the time is up or one of `signals` is aborted. */
  async until<T>(promise: Promise<T>, signals: readonly AbortSignal[]): Promise<T | typeof LATE> {
    const abort = () => this.#giveUp?.(LATE);
    for (const signal of signals) signal.addEventListener("abort", abort, { once: true });
    const given = new Promise<typeof LATE>((resolve) => {
      this.#giveUp = resolve;
    });
    this.#go();
    try {
      return await keepAlive(Promise.race([promise, given]));
    } finally {
      this.#giveUp = undefined;
      this.#stop();
      for (const signal of signals) signal.removeEventListener("abort", abort);
    }
  }

  #go(): void {
    if (!this.#giveUp || this.#dialogs > 0 || this.#since !== undefined) return;
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.#giveUp?.(LATE), Math.max(0, this.#left));
  }

  #stop(): void {
    clearTimeout(this.#timer);
    if (this.#since === undefined) return;
    this.#left -= performance.now() - this.#since;
    this.#since = undefined;
  }
}
