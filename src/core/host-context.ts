import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Calls `fn` in the server's own context, whoever the caller is. What code opens, timers, child processes and
 * import graphs included, belongs to the context it runs in and ends with it: a change of what is running, asked
 * for by one service, must outlive that service.
 */
export const inHost: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot();

/** Set while a service's `init` runs; `open` until it has returned, whatever it started that lives on. */
export const initializing = new AsyncLocalStorage<{ open: boolean }>();

/** Something that a service does for somebody: it answers a request, or handles an event. */
export interface Work {
  /** How many changes of services it waits for, itself or by what it waits for. They must not wait for it. */
  asks: number;
  /** What it is done for, inside the process. */
  readonly within: Work | undefined;
}

/** What is being done where this is asked. Kept for services that changes wait for. */
export const working = new AsyncLocalStorage<Work>();

export function newWork(): Work {
  return { asks: 0, within: working.getStore() };
}

/** Runs a change for whoever asks for it. */
export async function asked<T>(change: () => Promise<T>): Promise<T> {
  const count = (by: number) => {
    for (let work = working.getStore(); work; work = work.within) work.asks += by;
  };
  count(1);
  try {
    return await change();
  } finally {
    count(-1);
  }
}
