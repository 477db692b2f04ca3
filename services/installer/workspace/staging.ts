/** The workspaces of operations: who works in them, and what becomes of those that are left behind. */

import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { messageOf } from "../../../src/core/errors.js";
import type { Logger } from "../../../src/core/log.js";
import { isFull, systemErrorCode } from "../../../src/core/storage-error.js";
import { InstallError } from "../errors.js";
import type { Folders } from "../folders.js";
import { keepWhole } from "../place/leftovers.js";

/** The file that says who works there, and its name after an operation that left everything half-way. */
export const OWNER = "owner";
export const HALF_WAY = "half-way";

/** Tells operations of this process, of whatever version of the installer, from those of one that died. */
export const PROCESS = `${process.pid} ${performance.timeOrigin}`;

/** Whether an operation of this process works in the workspace. */
export function ownedByThisProcess(path: string): boolean {
  try {
    return readFileSync(join(path, OWNER), "utf8") === PROCESS;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error))) return false;
    throw error;
  }
}

/**
 * Removes what an operation left in its workspace, if there is anything.
 *
 * @throws InstallError with status 409 while it is at work, or when what it left is needed or cannot be kept; 507 when
 * the disk is full.
 */
export function makeRoom(folders: Folders, path: string, dirName: string): void {
  if (!existsSync(path)) return;
  if (ownedByThisProcess(path)) {
    const why = `"${dirName}" is being installed, updated or removed; try again later.`;
    throw new InstallError(409, "source", why);
  }
  if (existsSync(join(path, HALF_WAY))) {
    const why = `a change of "${dirName}" failed and is incomplete; restart the server to repair it.`;
    throw new InstallError(409, "source", why);
  }
  try {
    clear(folders, path);
  } catch (error) {
    const why = `files left in ${path} by a change of "${dirName}" cannot be moved to ${folders.kept}: ${messageOf(error)}`;
    throw new InstallError(isFull(error) ? 507 : 409, "source", why);
  }
}

/** Removes what operations of earlier processes left. */
export function clearStaging(folders: Folders, log: Logger): void {
  if (!existsSync(folders.staging)) return;
  for (const name of readdirSync(folders.staging)) {
    const path = join(folders.staging, name);
    try {
      if (!ownedByThisProcess(path)) clear(folders, path);
    } catch (error) {
      log.error(`could not clear ${path}: ${messageOf(error)}`);
    }
  }
}

function clear(folders: Folders, path: string): void {
  keepLeft(folders, path);
  rmSync(path, { recursive: true, force: true });
}

/** Moves the folders aside that had been in service and are still in the workspace. */
export function keepLeft(folders: Folders, path: string): void {
  for (const part of ["outgoing", "older"]) keepWhole(join(path, part), basename(path), folders);
}
