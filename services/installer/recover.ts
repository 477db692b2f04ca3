/** Mends what an operation left half-way when its process ended: it is completed or taken back. */
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { contentDigest } from "../../src/core/digest.js";
import { messageOf } from "../../src/core/errors.js";
import type { Logger } from "../../src/core/log.js";
import type { Installed, InstalledVersion, Lock } from "./lock.js";
import { isThere, moveAlong } from "./place.js";
import { clearStaging, ownedByThisProcess, type Places, Room } from "./room.js";

export interface RecoverOptions {
  lock: Lock;
  servicesDir: string;
  places: Places;
  log: Logger;
}

/** Returns the folders that are back in their place and may not be running. */
export async function recover({ lock, servicesDir, places, log }: RecoverOptions): Promise<string[]> {
  const restored: string[] = [];
  for (const entry of lock.list()) {
    const room = Room.at(places, entry.id);
    if (!entry.pending || ownedByThisProcess(room.path)) continue;
    const target = join(servicesDir, entry.id);
    const next =
      entry.pending.action === "remove"
        ? afterRemoval(entry, target)
        : afterPlacing(entry, entry.pending.version, target, room, places);
    if (next?.current) await lock.put(next);
    else await lock.delete(entry.id);
    log.warn(
      `${entry.id}: mended after an interrupted ${entry.pending.action === "remove" ? "removal" : "installation"}`,
    );
    if (next && existsSync(target)) restored.push(entry.id);
  }
  try {
    clearStaging(places);
  } catch (error) {
    log.error(`${places.staging} could not be cleared: ${messageOf(error)}`);
  }
  return restored;
}

/** The folder went, or it did not: there is nothing in between. */
function afterRemoval(entry: Installed, target: string): Installed | undefined {
  return isThere(target) ? without(entry) : undefined;
}

function without({ pending: _, ...entry }: Installed): Installed {
  return entry;
}

function afterPlacing(
  entry: Installed,
  version: InstalledVersion,
  target: string,
  room: Room,
  places: Places,
): Installed | undefined {
  const { current } = entry;
  const previous = join(places.previous, entry.id);
  const arrived = !isThere(room.incoming) && existsSync(target) && contentDigest(target) === version.digest;
  if (arrived) {
    if (!current) return { ...without(entry), current: version };
    if (isThere(previous)) moveAlong(previous, target, current.files);
    return { ...without(entry), current: version, previous: current };
  }
  if (!current) return undefined;
  if (!isThere(target) && isThere(previous)) renameSync(previous, target);
  if (!isThere(previous) && isThere(room.older)) renameSync(room.older, previous);
  return without(entry);
}
