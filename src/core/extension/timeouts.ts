/** Waiting for promises with a time limit, and keeping the process alive meanwhile. */

const LONG_MS = 60_000;

/** Keeps the process alive until `promise` settles. Timers of services do not keep it alive. */
export function keepAlive<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, LONG_MS);
  if (typeof timer === "object") timer.ref();
  return promise.finally(() => clearInterval(timer));
}

/** The result of a wait that timed out. */
export const TIMED_OUT = Symbol("late");

/**
 * Resolves with `promise`'s value, or with {@link TIMED_OUT} after `ms` milliseconds.
 *
 * @param options `keepsAlive`: whether the timer keeps the process alive; default true.
 */
export async function waitAtMost<T>(
  promise: Promise<T>,
  ms: number,
  { keepsAlive = true }: { keepsAlive?: boolean } = {},
): Promise<T | typeof TIMED_OUT> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof TIMED_OUT>((resolve) => {
    timer = setTimeout(() => resolve(TIMED_OUT), ms);
    if (typeof timer !== "object") return;
    if (keepsAlive) timer.ref();
    else timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
