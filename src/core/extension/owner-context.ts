/** Tracks which service the running code belongs to, so that its unhandled errors can be attributed. */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

/** Receives an error. */
export type Report = (error: unknown) => void;

/** The context of a service's code, and the context that it was called from. */
export interface OwnerContext {
  report: Report;
  caller: AsyncResource;
}

const contexts = new AsyncLocalStorage<OwnerContext>();

/** Creates a context for a service, called from the current context. */
export function ownerContext(report: Report): OwnerContext {
  return { report, caller: new AsyncResource("reef") };
}

/** Runs `fn`, and everything it starts, in a service's context. */
export function runInside<T>(context: OwnerContext, fn: () => T): T {
  return contexts.run(context, fn);
}

/** Runs `fn` in the context from which the current service was called; errors of the agent stay its own. */
export function runOutside<T>(fn: () => T): T {
  const context = contexts.getStore();
  return context ? context.caller.runInAsyncScope(fn) : fn();
}

/** Reports an error to the service whose code is running. False when none is. */
export function reportToService(error: unknown): boolean {
  const context = contexts.getStore();
  context?.report(error);
  return context !== undefined;
}
