/** Async contexts: the host's own, and what the running code is doing for which service. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Condition } from "../waiters.js";

/**
 * Calls `fn` in the server's own context, whatever the caller's. Timers, child processes and module graphs
 * belong to the context in which they are created and end with it; a change that one service requests must
 * outlive that service.
 */
export const inHost: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot();

/** Set while a service's `init` runs. `open` until it has returned, whatever it started that lives on. */
export const initializing = new AsyncLocalStorage<{ service: string; open: boolean }>();

/** The service whose `init` the caller runs in; undefined outside of any. */
export function initializingService(): string | undefined {
  const mark = initializing.getStore();
  return mark?.open ? mark.service : undefined;
}

/** A unit of work of a version: handling a request, an event or a store call. */
export interface Work {
  /** The version's scope. */
  readonly owner: object;
  /**
   * The number of changes of services that it waits for, directly or indirectly. Those changes must not wait
   * for it.
   */
  awaitedChanges: number;
  /** The work on whose behalf it is done inside the process, until it is over. */
  parent: Work | undefined;
  isOver: boolean;
  /** Notified when `awaitedChanges` increases. */
  readonly changed: Condition;
}

/** The work that the running code belongs to. */
export const currentWork = new AsyncLocalStorage<Work>();

/** Creates a unit of work as part of the current one. */
export function newWork(owner: object, changed: Condition): Work {
  return { owner, awaitedChanges: 0, parent: activeWork(), isOver: false, changed };
}

/** Ends a unit of work. Whatever it started that goes on, such as a timer, is no part of it. */
export function endWork(work: Work): void {
  work.isOver = true;
  work.parent = undefined;
}

function activeWork(): Work | undefined {
  const work = currentWork.getStore();
  return work?.isOver ? undefined : work;
}

/** Whether the caller runs as part of unfinished work of the version with this scope. */
export function isWorkOf(owner: object): boolean {
  for (let work = activeWork(); work; work = work.parent) if (work.owner === owner) return true;
  return false;
}

/** Runs a change, marking the current work as waiting for it. */
export async function awaitingChange<T>(change: () => Promise<T>): Promise<T> {
  const waiting: Work[] = [];
  for (let work = activeWork(); work; work = work.parent) waiting.push(work);
  for (const work of waiting) {
    work.awaitedChanges++;
    work.changed.notify();
  }
  try {
    return await change();
  } finally {
    for (const work of waiting) work.awaitedChanges--;
  }
}

/** Saving the running version's store, or starting the next version. */
type ExchangeStep = "save" | "start";

const exchanging = new AsyncLocalStorage<{ service: string; step: ExchangeStep; isOver: boolean }>();

/**
 * Runs a step of a service's exchange. Requests made by the step must not wait for the exchange, which waits
 * for them.
 */
export async function inExchange<T>(service: string, step: ExchangeStep, fn: () => Promise<T>): Promise<T> {
  const mark = { service, step, isOver: false };
  try {
    return await exchanging.run(mark, fn);
  } finally {
    mark.isOver = true;
  }
}

/** Whether the caller runs as part of a step of this service's exchange: of any step, or of the given one. */
export function isExchanging(service: string, step?: ExchangeStep): boolean {
  const mark = exchanging.getStore();
  return mark?.service === service && !mark.isOver && (step === undefined || step === mark.step);
}
