/** Waiting for others, without for ever. */

/** Those who wait for what may never come. Once they are told that it will not, whoever comes later is told at once. */
export class PendingWaits {
  readonly #rejecters = new Set<(error: Error) => void>();
  #reason: Error | undefined;

  /** Has `reject` called when it is given up; returns how to leave before. */
  add(reject: (error: Error) => void): () => void {
    if (this.#reason) reject(this.#reason);
    else this.#rejecters.add(reject);
    return () => this.#rejecters.delete(reject);
  }

  get isClosed(): boolean {
    return this.#reason !== undefined;
  }

  /** Settles like `promise`, or rejects with what {@link rejectAll} was given. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = this.add(reject);
      promise.then(resolve, reject).finally(leave);
    });
  }

  /** Nobody needs to wait any more, now or later. */
  rejectAll(error: Error): void {
    this.#reason ??= error;
    for (const reject of this.#rejecters) reject(error);
    this.#rejecters.clear();
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
  readonly #checks = new Set<() => void>();

  get hasWaiters(): boolean {
    return this.#checks.size > 0;
  }

  /** It may have changed. */
  notify(): void {
    for (const check of this.#checks) check();
  }

  /** Resolves with `true` once `holds` says so, with `false` after `ms` milliseconds. */
  async wait(holds: () => boolean, ms: number): Promise<boolean> {
    if (holds()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), ms);
    const check = () => {
      if (holds()) resolve(true);
    };
    this.#checks.add(check);
    const held = await promise;
    clearTimeout(timer);
    this.#checks.delete(check);
    return held;
  }
}
