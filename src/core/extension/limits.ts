/** The limits under which a piece of client code runs: the FleetClient asks for them at each call. */
import { AsyncLocalStorage } from "node:async_hooks";

export interface Limits {
  /** Aborts when the agent aborts what runs. */
  signal?: AbortSignal;
  /** How long one call to the control plane may take, in milliseconds. */
  timeoutMs?: number;
}

const storage = new AsyncLocalStorage<Limits>();

/** Runs `fn`, and everything it starts, under `limits`. */
export function underLimits<T>(limits: Limits, fn: () => T): T {
  return storage.run(limits, fn);
}

/** What applies to the code that asks. */
export function currentLimits(): Limits {
  return storage.getStore() ?? {};
}
