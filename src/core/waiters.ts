/** Waiting for others, without for ever. */

/** Those who wait for what may never come. Once they are told that it will not, whoever comes later is told at once. */
export class Waiters {
  readonly #waiting = new Set<(error: Error) => void>();
  #given: Error | undefined;

  /** Has `reject` called when it is given up; returns how to leave before. */
  join(reject: (error: Error) => void): () => void {
    if (this.#given) reject(this.#given);
    else this.#waiting.add(reject);
    return () => this.#waiting.delete(reject);
  }

  get areOver(): boolean {
    return this.#given !== undefined;
  }

  /** Settles like `promise`, or rejects with what {@link giveUp} was given. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = this.join(reject);
      promise.then(resolve, reject).finally(leave);
    });
  }

  /** Nobody needs to wait any more, now or later. */
  giveUp(error: Error): void {
    this.#given ??= error;
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }
}

/**
 * Settles like `promise`, or rejects with the signal's reason once it is aborted: for what cannot be ended, but need
 * not be waited for.
 *
 * @param why What to reject with instead.
 */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal?: AbortSignal | null,
  why: (reason: unknown) => unknown = (reason) => reason,
): Promise<T> {
  if (!signal) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(why(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Something that can come to be so; who waits for it looks again whenever it may have changed. */
export class Condition {
  readonly #looks = new Set<() => void>();

  get hasWaiters(): boolean {
    return this.#looks.size > 0;
  }

  /** It may have changed. */
  notify(): void {
    for (const look of this.#looks) look();
  }

  /** Resolves with `true` once `isSo` says so, with `false` after `ms` milliseconds. */
  async wait(isSo: () => boolean, ms: number): Promise<boolean> {
    if (isSo()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), ms);
    const look = () => {
      if (isSo()) resolve(true);
    };
    this.#looks.add(look);
    const happened = await promise;
    clearTimeout(timer);
    this.#looks.delete(look);
    return happened;
  }
}
