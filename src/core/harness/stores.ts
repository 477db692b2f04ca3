/**
 * Keeps the stores of module objects open across harnesses. A store lives as long as its module, which the test
 * files of a process share: a harness that closed it would leave a closed store to the next one.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../errors.js";
import { withTimeout } from "../scope.js";
import type { ServiceModule, ServiceStore } from "../types.js";

interface HeldStore {
  /** The store's own `close` property, if it had one besides that of its class. */
  own: PropertyDescriptor | undefined;
  holders: number;
}

/** How long one store may take to close at the end of a test run, in milliseconds. */
const CLOSE_LIMIT_MS = 1000;

const held = new Map<ServiceStore, HeldStore>();
/** Open stores with the data folders of the harnesses that used them. */
const leftOpen = new Map<ServiceStore, Set<string>>();

/** Removed data folders, with the subfolders they had. */
const removed = new Map<string, string[]>();

/** Runs `fn` while `close()` of the modules' stores does nothing. The stores may have files in `dataDir`. */
export async function keepStoresOpen<T>(
  modules: Iterable<ServiceModule>,
  dataDir: string,
  fn: () => Promise<T>,
): Promise<T> {
  const stores = [...modules].flatMap(({ store }) => (canBeHeld(store) ? [store] : []));
  for (const store of stores) hold(store, dataDir);
  try {
    return await fn();
  } finally {
    for (const store of stores) letGo(store);
  }
}

/** Removes the data folder of a harness. */
export function removeDataDir(dataDir: string): void {
  const isHome = [...leftOpen.values()].some((homes) => homes.has(dataDir));
  if (isHome && existsSync(dataDir)) removed.set(dataDir, foldersIn(dataDir));
  remove(dataDir);
}

const remove = (dir: string) => rmSync(dir, { recursive: true, force: true });

function foldersIn(dir: string): string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
}

/** Recreates a removed data folder for a store that may write to it when it is closed. */
function recreate(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  for (const folder of removed.get(dataDir) ?? []) mkdirSync(folder, { recursive: true });
}

/** Closes all stores that were kept open. Never rejects: the tests are over. */
export async function closeStoresLeftOpen(): Promise<void> {
  for (const [store, homes] of leftOpen) {
    leftOpen.delete(store);
    const gone = [...homes].filter((dataDir) => removed.has(dataDir));
    try {
      gone.forEach(recreate);
      const closing = (async () => store.close?.())();
      await withTimeout(
        closing,
        CLOSE_LIMIT_MS,
        () => new Error(`did not finish within ${CLOSE_LIMIT_MS} ms`),
      );
    } catch (error) {
      console.warn(`store.close() at the end of the tests: ${messageOf(error)}`);
    } finally {
      gone.forEach(remove);
    }
  }
}

function canBeHeld(store: unknown): store is ServiceStore {
  if (typeof store !== "object" || store === null) return false;
  if (!("close" in store) || typeof store.close !== "function") return false;
  const own = Object.getOwnPropertyDescriptor(store, "close");
  return own ? own.configurable === true : Object.isExtensible(store);
}

function hold(store: ServiceStore, dataDir: string): void {
  leftOpen.set(store, (leftOpen.get(store) ?? new Set()).add(dataDir));
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
