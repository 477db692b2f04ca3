/**
 * Caches lists of code files while the folders' `stat` data is unchanged. Checking a folder then costs one
 * `stat` per folder and file instead of reading directories.
 */
import { statSync } from "node:fs";
import { findCode } from "./code-files.js";

/** The code found in a folder without links. All paths are relative to it. */
export interface Listing {
  /** The code files, sorted. */
  files: readonly string[];
  /** The folders that may contain code; "" is the folder itself. */
  folders: readonly string[];
  /** Whether it contains only files, code or not. */
  isFlat: boolean;
  /** The `stat` data of the folders. It changes whenever an entry is added or removed. */
  stamp: string;
}

/**
 * A folder that changed within this time, in milliseconds, may change again unnoticed: some file systems have a
 * timestamp resolution of two seconds.
 */
const SETTLED_MS = 2500;

/** The number of listings kept, most recent first. */
const MAX_LISTINGS = 10_000;

const cache = new Map<string, Listing>();

/** The cached listing of a folder, if it is still valid. */
export function validListing(dir: string): Listing | undefined {
  const listing = cache.get(dir);
  if (listing && stampOf(dir, listing.folders)?.text === listing.stamp) return listing;
  cache.delete(dir);
  return undefined;
}

/** Caches a listing from an earlier time. It is used only if the folders still match its stamp. */
export function cacheListing(dir: string, listing: Listing): void {
  cache.delete(dir);
  cache.set(dir, listing);
  for (const oldest of cache.keys()) {
    if (cache.size <= MAX_LISTINGS) break;
    cache.delete(oldest);
  }
}

/** The relative paths of a folder's code, sorted; from the cache if possible. */
export function listedFiles(dir: string): readonly string[] {
  return validListing(dir)?.files ?? relist(dir);
}

/** The same, reading the folder in any case. */
export function relist(dir: string, now = Date.now()): readonly string[] {
  const { root, files, plain } = findCode(dir);
  // The stamp of the folder that was read, in case `dir` is a link that has been changed meanwhile.
  const stamp = plain && stampOf(root, plain.folders);
  if (stamp && stamp.newest < now - SETTLED_MS) {
    cacheListing(dir, { files, ...plain, stamp: stamp.text });
  } else cache.delete(dir);
  return files;
}

/** The stamp of folders; undefined when one is missing or unreadable, so that the folder is read. */
function stampOf(dir: string, folders: readonly string[]): { text: string; newest: number } | undefined {
  let text = "";
  let newest = 0;
  try {
    for (const folder of folders) {
      const stat = statSync(folder === "" ? dir : `${dir}/${folder}`);
      if (!stat.isDirectory()) return undefined;
      text += `${stat.dev} ${stat.ino} ${stat.mtimeMs} ${stat.ctimeMs}\n`;
      newest = Math.max(newest, stat.mtimeMs, stat.ctimeMs);
    }
    return { text, newest };
  } catch {
    // Missing, or replaced by a broken or circular link; reading the folder reveals which.
    return undefined;
  }
}
