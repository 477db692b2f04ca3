const LONG_MS = 60_000;

/** Keeps the process running until `promise` settles: timers of services do not, so that none can outstay. */
export function keepAlive<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, LONG_MS);
  if (typeof timer === "object") timer.ref();
  return promise.finally(() => clearInterval(timer));
}

/** Stands for an answer that did not come in time. */
export const TIMED_OUT = Symbol("late");

/**
 * Resolves with `promise`'s value, or with {@link TIMED_OUT} after `ms` milliseconds.
 *
 * @param holds Whether the process must not end before.
 */
export async function waitAtMost<T>(
  promise: Promise<T>,
  ms: number,
  holds = true,
): Promise<T | typeof TIMED_OUT> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof TIMED_OUT>((resolve) => {
    timer = setTimeout(() => resolve(TIMED_OUT), ms);
    if (typeof timer !== "object") return;
    if (holds) timer.ref();
    else timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
