import { AsyncLocalStorage } from "node:async_hooks";
import type { Condition } from "../waiters.js";

/**
 * Calls `fn` in the server's own context, whoever the caller is. What code opens, timers, child processes and
 * import graphs included, belongs to the context it runs in and ends with it: a change of what is running, asked
 * for by one service, must outlive that service.
 */
export const inHost: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot();

/** Set while a service's `init` runs; `open` until it has returned, whatever it started that lives on. */
export const initializing = new AsyncLocalStorage<{ service: string; open: boolean }>();

/** The service whose `init`, which has not returned, this is asked as part of. */
export function initializingService(): string | undefined {
  const mark = initializing.getStore();
  return mark?.open ? mark.service : undefined;
}

/** Something that a version of a service does for somebody: it answers a request, or handles an event. */
export interface Work {
  /** The scope of that version. */
  readonly owner: object;
  /** How many changes of services it waits for, itself or by what it waits for. They must not wait for it. */
  awaitedChanges: number;
  /** What it is done for, inside the process, until it is over. */
  parent: Work | undefined;
  isOver: boolean;
  /** Who waits for it looks at this again when it comes to wait for a change. */
  readonly changed: Condition;
}

/** What is being done where this is asked. */
export const currentWork = new AsyncLocalStorage<Work>();

export function newWork(owner: object, changed: Condition): Work {
  return { owner, awaitedChanges: 0, parent: activeWork(), isOver: false, changed };
}

/** What goes on that it had begun, a timer for instance, is no part of it. */
export function endWork(work: Work): void {
  work.isOver = true;
  work.parent = undefined;
}

function activeWork(): Work | undefined {
  const work = currentWork.getStore();
  return work?.isOver ? undefined : work;
}

/** Whether this is asked as part of something that the version with this scope does, and waits for. */
export function isWorkOf(owner: object): boolean {
  for (let work = activeWork(); work; work = work.parent) if (work.owner === owner) return true;
  return false;
}

/** Runs a change for whoever awaitedChanges for it. */
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

/** Saving what the running version has, or starting the next one. */
type ExchangeStep = "save" | "start";

const exchanging = new AsyncLocalStorage<{ service: string; step: ExchangeStep; isOver: boolean }>();

/** Runs a step of a service's exchange. Whatever it awaitedChanges for must not wait for that exchange, which waits for it. */
export async function inExchange<T>(service: string, step: ExchangeStep, fn: () => Promise<T>): Promise<T> {
  const mark = { service, step, isOver: false };
  try {
    return await exchanging.run(mark, fn);
  } finally {
    mark.isOver = true;
  }
}

/** Whether this is asked as part of such a step: of any, or of this one. */
export function isExchanging(service: string, step?: ExchangeStep): boolean {
  const mark = exchanging.getStore();
  return mark?.service === service && !mark.isOver && (step === undefined || step === mark.step);
}
