/** Stops services: until the next load, or until the operator switches them on again. */
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

/** How long a removal waits for requests in flight, in milliseconds. */
const REMOVAL_LIMIT_MS = 2000;

/** How insistently a service is removed. */
export interface RemovalOptions {
  /** Proceed even if other services depend on it or its store cannot be saved; unsaved data is then lost. */
  force?: boolean;
  /** Proceed even if other services depend on it. */
  needed?: boolean;
}

/**
 * Stops a service; see `ServiceRegistry.unload`. Requests in flight are answered, the store is saved and
 * closed.
 */
export function unload(
  registry: Registry,
  name: string,
  options: RemovalOptions = {},
  caller?: string,
): Promise<void> {
  return remove(registry, name, options, caller, () => undefined);
}

/** Switches a service off; see `ServiceRegistry.disable`. `name` may be the folder's. */
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

/** Switches a folder on again and loads it. */
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

/** Forgets that a folder was switched off if it no longer exists, so that a new folder of that name may run. */
export async function forget({ servicesDir, switches }: Registry, dirName: string): Promise<void> {
  if (!existsSync(join(servicesDir, dirName))) switches?.enable(dirName);
}

/**
 * Removes a service. `decided` is called once nothing can refuse the removal any more; if it throws, the
 * service stays.
 */
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
  // The version may be so new that it has not been copied yet.
  await registry.copies.keep(name);
  if (!force) await saveStore(service.current);
  // Late starts do not queue, so a new dependent may have appeared meanwhile.
  assertNotNeeded();
  decided();
  table.remove(service);
  await endOlder(service, REMOVAL_LIMIT_MS);
  const untrackedReplies = () => table.untrackedReplies([service]);
  await retire(service.current, { drainMs: REMOVAL_LIMIT_MS, flush: true, untrackedReplies });
  registry.announce(name, "removed");
}
