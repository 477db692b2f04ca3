/**
 * Stores of module objects in tests. A store lives as long as its module, which the test files of a process share:
 * a harness that closed it would leave a dead one to the next harness.
 */
import { messageOf } from "./errors.js";
import { within } from "./scope.js";
import type { ServiceModule, ServiceStore } from "./types.js";

interface Held {
  /** What it had of its own, rather than from its class. */
  own: PropertyDescriptor | undefined;
  holders: number;
}

/** How long one store may take to close at the end of a test run, in milliseconds. */
const CLOSE_LIMIT_MS = 1000;

const held = new Map<ServiceStore, Held>();
const leftOpen = new Set<ServiceStore>();

/** Runs `fn`, which may ask the stores of `modules` to close: they do not. */
export async function keepStoresOpen<T>(modules: Iterable<ServiceModule>, fn: () => Promise<T>): Promise<T> {
  const stores = [...modules].flatMap(({ store }) => (canBeHeld(store) ? [store] : []));
  for (const store of stores) hold(store);
  try {
    return await fn();
  } finally {
    for (const store of stores) letGo(store);
  }
}

/** Closes what was kept open. Never rejects: the tests are over. */
export async function closeStoresLeftOpen(): Promise<void> {
  for (const store of leftOpen) {
    leftOpen.delete(store);
    try {
      const closing = (async () => store.close?.())();
      await within(closing, CLOSE_LIMIT_MS, () => new Error(`did not finish in ${CLOSE_LIMIT_MS} ms`));
    } catch (error) {
      console.warn(`store.close() at the end of the tests: ${messageOf(error)}`);
    }
  }
}

function canBeHeld(store: unknown): store is ServiceStore {
  if (typeof store !== "object" || store === null) return false;
  if (!("close" in store) || typeof store.close !== "function") return false;
  const own = Object.getOwnPropertyDescriptor(store, "close");
  return own ? own.configurable === true : Object.isExtensible(store);
}

function hold(store: ServiceStore): void {
  leftOpen.add(store);
  const present = held.get(store);
  if (present) {
    present.holders++;
    return;
  }
  held.set(store, { own: Object.getOwnPropertyDescriptor(store, "close"), holders: 1 });
  Object.defineProperty(store, "close", { value: () => undefined, configurable: true, writable: true });
}

function letGo(store: ServiceStore): void {
  const present = held.get(store);
  if (!present || --present.holders > 0) return;
  held.delete(store);
  if (present.own) Object.defineProperty(store, "close", present.own);
  else delete store.close;
}
