/** Where code of a service runs, so that what it leaves unattended is known to be its own. */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

export type Report = (error: unknown) => void;

/** Where a service's code runs, and the place it was called from. */
export interface Place {
  report: Report;
  caller: AsyncResource;
}

const places = new AsyncLocalStorage<Place>();

/** A place on the account of whom `report` tells, called from here. */
export function placeOf(report: Report): Place {
  return { report, caller: new AsyncResource("reef") };
}

/** Runs `fn`, and whatever it starts, at `place`. */
export function inside<T>(place: Place, fn: () => T): T {
  return places.run(place, fn);
}

/** Runs `fn` on the account of whoever called the service that runs; errors of the agent stay its own. */
export function outside<T>(fn: () => T): T {
  const place = places.getStore();
  return place ? place.caller.runInAsyncScope(fn) : fn();
}

/** Tells the service on whose account this runs; false when it is none's. */
export function reportToOwner(error: unknown): boolean {
  const place = places.getStore();
  place?.report(error);
  return place !== undefined;
}
