/** The time by which the agent waits; tests have one of their own. */
export interface Clock {
  /** In milliseconds, from some moment on. */
  now(): number;
  /** Calls `fn` after `ms` milliseconds; returns the function that forgoes it. */
  after(ms: number, fn: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};
