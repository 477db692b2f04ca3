/** Clears away folders that were in service. What the installer did not put there is kept: it is never deleted. */
import { existsSync, lstatSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../src/core/errors.js";
import type { Logger } from "../../../src/core/log.js";
import { type Folders, keptFolder } from "../folders.js";
import { discard, type FileList } from "../place.js";

/** What a reply says about what was not deleted. */
export interface Leftovers {
  kept?: string[];
  /** Why some of it is not where it should be. */
  warning?: string;
}

/** Moves a folder aside as a whole; returns where it is then. A link is left: nothing is lost with it. */
export function keepWhole(folder: string, dirName: string, folders: Folders): string | undefined {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  mkdirSync(folders.kept, { recursive: true });
  const kept = keptFolder(folders, dirName);
  renameSync(folder, kept);
  return kept;
}

/**
 * Deletes `ours` from a folder and keeps the rest: file by file, or else all that is left as a whole. Where that fails
 * too it stays. What is done is done: none of this is an error.
 */
export async function clearAway(
  folder: string,
  ours: FileList,
  dirName: string,
  folders: Folders,
  log: Logger,
): Promise<Leftovers> {
  const keep = keptFolder(folders, dirName);
  try {
    const kept = await discard(folder, ours, keep);
    return leftovers(kept.map((path) => join(keep, path)));
  } catch (error) {
    log.error(`could not remove ${folder}: ${messageOf(error)}`);
  }
  const kept = existsSync(keep) ? [keep] : [];
  try {
    const rest = keepWhole(folder, dirName, folders);
    return leftovers(rest === undefined ? kept : [...kept, rest]);
  } catch (error) {
    const warning = `files that were added or changed locally are still in ${folder}: they could not be moved to ${folders.kept} (${messageOf(error)}).`;
    log.error(warning);
    return { kept: [...kept, folder], warning };
  }
}

function leftovers(kept: string[]): Leftovers {
  return kept.length > 0 ? { kept } : {};
}

/** Both, as one reply says them. */
export function together(one: Leftovers, other: Leftovers): Leftovers {
  const warnings = [one.warning, other.warning].filter((warning) => warning !== undefined);
  return {
    ...leftovers([...(one.kept ?? []), ...(other.kept ?? [])]),
    ...(warnings.length > 0 && { warning: warnings.join(" ") }),
  };
}
