/** Limits that apply to the client code that is running; the FleetClient reads them at each call. */
import { AsyncLocalStorage } from "node:async_hooks";

/** Limits of a piece of client code. */
export interface Limits {
  /** Aborted when the agent aborts the operation. */
  signal?: AbortSignal;
  /** How long one call to the control plane may take, in milliseconds. */
  timeoutMs?: number;
}

const storage = new AsyncLocalStorage<Limits>();

/** Runs `fn`, and everything it starts, under `limits`. */
export function underLimits<T>(limits: Limits, fn: () => T): T {
  return storage.run(limits, fn);
}

/** The limits of the running code. */
export function currentLimits(): Limits {
  return storage.getStore() ?? {};
}
