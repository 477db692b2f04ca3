/** Mends what an operation left half-way when its process ended: it is completed or taken back. */
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../../src/core/log.js";
import type { Folders } from "./folders.js";
import { type Installed, type Lock, type Placing, placed } from "./lock.js";
import { isThere, moveAlong } from "./place.js";
import { clearStaging, ownedByThisProcess } from "./staging.js";
import { Workspace } from "./workspace.js";

export interface RecoverOptions {
  lock: Lock;
  servicesDir: string;
  folders: Folders;
  log: Logger;
}

/** Returns the folders that are back in their place and may not be running. */
export async function recover({ lock, servicesDir, folders, log }: RecoverOptions): Promise<string[]> {
  const restored: string[] = [];
  for (const entry of lock.list()) {
    const workspace = Workspace.at(folders, entry.id);
    if (!entry.pending || ownedByThisProcess(workspace.path)) continue;
    const target = join(servicesDir, entry.id);
    const next =
      entry.pending.action === "remove"
        ? afterRemoval(entry, target)
        : afterPlacing(entry, entry.pending, target, workspace, folders);
    if (next?.current) await lock.put(next);
    else await lock.delete(entry.id);
    log.warn(
      `${entry.id}: mended after an interrupted ${entry.pending.action === "remove" ? "removal" : "installation"}`,
    );
    if (next && existsSync(target)) restored.push(entry.id);
  }
  clearStaging(folders, log);
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
  pending: Placing,
  target: string,
  workspace: Workspace,
  folders: Folders,
): Installed | undefined {
  const { current } = entry;
  const { isGone, isKept } = pending;
  const previous = join(folders.previous, entry.id);
  const incoming = isKept ? workspace.older : workspace.incoming;
  const hasArrived = isThere(workspace.begun) && !isThere(incoming) && isThere(target);
  if (hasArrived) {
    if (current && !isGone && isThere(previous)) moveAlong(previous, target, current.files);
    return placed(entry, pending);
  }
  if (!current) return undefined;
  if (!isGone && !isThere(target) && isThere(previous)) renameSync(previous, target);
  if (!isThere(previous) && isThere(workspace.older)) renameSync(workspace.older, previous);
  return without(entry);
}
