import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Calls `fn` in the server's own context, whoever the caller is. What code opens, timers, child processes and
 * import graphs included, belongs to the context it runs in and ends with it: a change of what is running, asked
 * for by one service, must outlive that service.
 */
export const inHost: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot();

/** Set while a service's `init` runs; `open` until it has returned, whatever it started that lives on. */
export const initializing = new AsyncLocalStorage<{ open: boolean }>();

/**
 * The request that a handler is answering, while it runs: `asks` counts the changes of services that it waits for, which
 * must not wait for it. Kept for services that changes wait for longer.
 */
export const answering = new AsyncLocalStorage<{ asks: number }>();

/** Runs a change for whoever asks for it. */
export async function asked<T>(change: () => Promise<T>): Promise<T> {
  const request = answering.getStore();
  if (!request) return change();
  request.asks++;
  try {
    return await change();
  } finally {
    request.asks--;
  }
}
