/** Waiting with a way out: waits that can be rejected, aborted or time out. */

/** Waits that can be rejected together. Once rejected, later waits reject at once. */
export class PendingWaits {
  readonly #rejecters = new Set<(error: Error) => void>();
  #reason: Error | undefined;

  /** Registers a wait. Returns the function that removes it. */
  add(reject: (error: Error) => void): () => void {
    if (this.#reason) reject(this.#reason);
    else this.#rejecters.add(reject);
    return () => this.#rejecters.delete(reject);
  }

  /** Whether waits have been rejected. */
  get isClosed(): boolean {
    return this.#reason !== undefined;
  }

  /** Settles like `promise`, or rejects with the error given to {@link rejectAll}. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave = this.add(reject);
      promise.then(resolve, reject).finally(leave);
    });
  }

  /** Rejects all current and future waits. */
  rejectAll(error: Error): void {
    this.#reason ??= error;
    for (const reject of this.#rejecters) reject(error);
    this.#rejecters.clear();
  }
}

/**
 * Settles like `promise`, or rejects with the signal's reason once it is aborted. For operations that cannot be
 * cancelled but need not be awaited.
 *
 * @param why Maps the signal's reason to the error to reject with.
 * @example
 * const found = await untilAborted(lookup(host), c.req.raw.signal);
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

/** A condition variable: waits re-evaluate their predicate when notified. */
export class Condition {
  readonly #checks = new Set<() => void>();

  /** Whether anything waits. */
  get hasWaiters(): boolean {
    return this.#checks.size > 0;
  }

  /** Re-evaluates the predicates of all waits. */
  notify(): void {
    for (const check of this.#checks) check();
  }

  /** Resolves with true once `holds()` is true, with false after `ms` milliseconds. */
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
