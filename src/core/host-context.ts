import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Calls `fn` in the server's own context, whoever the caller is. What code opens, timers, child processes and
 * import graphs included, belongs to the context it runs in and ends with it: a change of what is running, asked
 * for by one service, must outlive that service.
 */
export const inHost: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot();

/** Set while a service's `init` runs; `open` until it has returned, whatever it started that lives on. */
export const initializing = new AsyncLocalStorage<{ open: boolean }>();
