/** A service stops serving: until the next load, or for as long as the operator has switched it off. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Trial } from "../checker/trials.js";
import { LoadFailure } from "../load-failure.js";
import { folderOf, nameIn } from "../registry/lookup.js";
import type { Registry } from "../registry.js";
import type { Loaded } from "../registry-types.js";
import { endOlder } from "../version/draining.js";
import { retire, saveStore } from "../version.js";
import { load } from "./load.js";

/** How long a removal waits for what is in flight before it goes on without it, in milliseconds. */
const REMOVAL_LIMIT_MS = 2000;

export interface RemovalOptions {
  /** Go on although other services depend on it, or its store cannot be saved: what is not saved is lost then. */
  force?: boolean;
  /** Go on although other services depend on it. */
  needed?: boolean;
}

/** Stops serving, as `ServiceRegistry.unload` says: what is in flight is answered, the store is saved and closed. */
export function unload(
  registry: Registry,
  name: string,
  options: RemovalOptions = {},
  caller?: string,
): Promise<void> {
  return remove(registry, name, options, caller, () => undefined);
}

/** Switches a service off, as `ServiceRegistry.disable` says; `name` may be its folder's. */
export async function disable(
  registry: Registry,
  name: string,
  { force, reason }: { force?: boolean; reason?: string } = {},
  caller?: string,
): Promise<void> {
  const { switches } = registry;
  if (!switches) throw new LoadFailure("PROTECTED", "find", "this server cannot disable services.");
  const dirName = folderOf(registry, name);
  await registry.queue.forFolder(dirName, async () => {
    const called = nameIn(registry, dirName) ?? name;
    const since = new Date().toISOString();
    const entry = { name: called, dirName, since, ...(reason !== undefined && { reason }) };
    const save = () => switches.disable(entry);
    if (registry.table.byFolder(dirName)) await remove(registry, called, { force }, caller, save);
    else save();
    registry.failures.clear(join(registry.servicesDir, dirName));
    registry.announce(called, "disabled");
  });
}

/** Lets a folder load again that was switched off, and loads it. */
export async function enable(registry: Registry, name: string, trial?: Trial): Promise<Loaded> {
  const dirName = folderOf(registry, name);
  const wasOff = registry.switches?.isDisabled(dirName);
  registry.switches?.enable(dirName);
  if (wasOff && !existsSync(join(registry.servicesDir, dirName))) {
    const message = `"${dirName}" is no longer disabled, but its folder does not exist.`;
    throw new LoadFailure("UNKNOWN", "find", message);
  }
  return load(registry, dirName, { trial });
}

/** Forgets that a folder was switched off, if it is not there any more: who comes after it may run. */
export async function forget({ servicesDir, switches }: Registry, dirName: string): Promise<void> {
  if (!existsSync(join(servicesDir, dirName))) switches?.enable(dirName);
}

/** `decided` is called when nothing else can refuse the removal; when it throws, the service serves on. */
async function remove(
  registry: Registry,
  name: string,
  { force = false, needed = force }: RemovalOptions,
  caller: string | undefined,
  decided: () => void,
): Promise<void> {
  const { table } = registry;
  const service = table.get(name);
  if (!service) throw new LoadFailure("UNKNOWN", "find", `there is no service "${name}".`);
  if (name === caller) throw new LoadFailure("PROTECTED", "find", `"${name}" cannot remove itself.`);
  const assertNotNeeded = () => {
    const dependents = needed ? [] : table.dependents(name);
    if (dependents.length === 0) return;
    const list = dependents.map((dependent) => `"${dependent}"`).join(", ");
    throw new LoadFailure("IN_USE", "order", `"${name}" is needed by ${list}.`);
  };
  assertNotNeeded();
  // It may serve since a moment ago.
  await registry.copies.keep(name);
  if (!force) await saveStore(service.current);
  // What comes late at the start of the server takes no turn, and may have come to need it.
  assertNotNeeded();
  decided();
  table.remove(service);
  await endOlder(service, REMOVAL_LIMIT_MS);
  const unaccounted = () => table.unaccounted([service]);
  await retire(service.current, { drainMs: REMOVAL_LIMIT_MS, flush: true, unaccounted });
  registry.announce(name, "removed");
}
