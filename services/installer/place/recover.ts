/** Mends what an operation left half-way when its process ended: it is completed or taken back. */
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../../../src/core/log.js";
import type { Folders } from "../folders.js";
import { isThere, moveAlong } from "../place.js";
import { clearStaging, ownedByThisProcess } from "../workspace/staging.js";
import { Workspace } from "../workspace.js";
import { type Installed, type Lock, type Placing, placed } from "./lock.js";

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
        ? afterRemoval(entry, target, workspace, folders)
        : afterPlacing(entry, entry.pending, target, workspace, folders);
    if (next?.current) await lock.put(next);
    else await lock.delete(entry.id);
    log.warn(
      `${entry.id}: repaired after an interrupted ${entry.pending.action === "remove" ? "removal" : "installation"}`,
    );
    if (next && existsSync(target)) restored.push(entry.id);
  }
  clearStaging(folders, log);
  return restored;
}

/** Once the folder is gone, it is removed. */
function afterRemoval(
  entry: Installed,
  target: string,
  workspace: Workspace,
  folders: Folders,
): Installed | undefined {
  if (!isThere(target)) return undefined;
  putBackKept(entry, workspace, folders);
  return without(entry);
}

function putBackKept({ id }: Installed, { older }: Workspace, folders: Folders): void {
  const previous = join(folders.previous, id);
  if (!isThere(previous) && isThere(older)) renameSync(older, previous);
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
  putBackKept(entry, workspace, folders);
  return without(entry);
}
