/** The folders that the installer keeps for itself. */

import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "../../src/core/storage-error.js";

/** Where they are. */
export interface Folders {
  /** On the same file system as the services folder, so that a rename moves a folder between the two. */
  base: string;
  /** One folder for each operation that runs. */
  staging: string;
  /** The version before the present one of each installed folder. */
  previous: string;
  /** What was found in removed folders that the installer had not put there. */
  kept: string;
  cache: string;
}

/** Beside the data folder's own, where the two file systems differ. */
const BESIDE = ".reef-installer";

/** What is moved to see whether that can be done; one that a killed process left gives way to the next. */
const PROBE = ".reef-probe";

/** The installer's folders, as they were chosen before; nothing is made. */
export function knownFolders(dataDir: string, servicesDir: string): Folders {
  const own = join(dataDir, ".reef", "installer");
  const beside = join(servicesDir, BESIDE);
  const base = existsSync(beside) ? beside : own;
  return {
    base,
    staging: join(base, "staging"),
    previous: join(base, "previous"),
    kept: join(base, "kept"),
    cache: join(own, "cache"),
  };
}

/**
 * The installer's folders: in the data folder, or in a hidden folder of the services folder when the two are on
 * different file systems. Made if they are missing.
 */
export function findFolders(dataDir: string, servicesDir: string): Folders {
  const folders = knownFolders(dataDir, servicesDir);
  if (canRename(folders.base, servicesDir)) return folders;
  mkdirSync(join(servicesDir, BESIDE), { recursive: true });
  return knownFolders(dataDir, servicesDir);
}

function canRename(base: string, servicesDir: string): boolean {
  mkdirSync(base, { recursive: true });
  mkdirSync(servicesDir, { recursive: true });
  const [here, there] = [join(base, PROBE), join(servicesDir, PROBE)];
  mkdirSync(here, { recursive: true });
  try {
    renameSync(here, there);
    rmSync(there, { recursive: true, force: true });
    return true;
  } catch (error) {
    rmSync(here, { recursive: true, force: true });
    if (systemErrorCode(error) === "EXDEV") return false;
    throw error;
  }
}

/** A new name for what is kept of a folder. */
export function keptFolder(folders: Folders, dirName: string): string {
  return join(folders.kept, `${dirName}-${Bun.randomUUIDv7()}`);
}
