/** Where code of a service runs, so that what it leaves unattended is known to be its own. */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

export type Report = (error: unknown) => void;

/** Where a service's code runs, and the context it was called from. */
export interface OwnerContext {
  report: Report;
  caller: AsyncResource;
}

const contexts = new AsyncLocalStorage<OwnerContext>();

/** A context on the account of whom `report` tells, called from here. */
export function ownerContext(report: Report): OwnerContext {
  return { report, caller: new AsyncResource("reef") };
}

/** Runs `fn`, and whatever it starts, at `context`. */
export function runInside<T>(context: OwnerContext, fn: () => T): T {
  return contexts.run(context, fn);
}

/** Runs `fn` on the account of whoever called the service that runs; errors of the agent stay its own. */
export function runOutside<T>(fn: () => T): T {
  const context = contexts.getStore();
  return context ? context.caller.runInAsyncScope(fn) : fn();
}

/** Tells the service on whose account this runs; false when it is none's. */
export function reportToService(error: unknown): boolean {
  const context = contexts.getStore();
  context?.report(error);
  return context !== undefined;
}
