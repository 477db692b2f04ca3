/**
 * Lists of the files of services' code, cache while their folders stay as they were. Looking at a folder then costs a
 * `stat` for each of its folders and files, and no reading of folders.
 */
import { statSync } from "node:fs";
import { findCode } from "./code-files.js";

/** What a folder without links held when it was looked through. All paths are relative to it. */
export interface Listing {
  /** The files that are code, sorted. */
  files: readonly string[];
  /** The folders that code can be in; "" is the folder itself. */
  folders: readonly string[];
  /** Whether it holds nothing but files, be they code or not. */
  isFlat: boolean;
  /** What `stat` said about the folders. Nothing comes or goes in a folder without it showing there. */
  stamp: string;
}

/**
 * A folder that changed so recently, in milliseconds, may change again without it showing: some file systems stamp in
 * steps of two seconds.
 */
const SETTLED_MS = 2500;

/** Lists cache at most; the latest ones. */
const MAX_LISTINGS = 10_000;

const cache = new Map<string, Listing>();

/** The list of a folder, if it is known to be right still. */
export function validListing(dir: string): Listing | undefined {
  const listing = cache.get(dir);
  if (listing && stampOf(dir, listing.folders)?.text === listing.stamp) return listing;
  cache.delete(dir);
  return undefined;
}

/** Notes what a folder held at an earlier time. It is believed once its folders are found to be as they were then. */
export function cacheListing(dir: string, listing: Listing): void {
  cache.delete(dir);
  cache.set(dir, listing);
  for (const oldest of cache.keys()) {
    if (cache.size <= MAX_LISTINGS) break;
    cache.delete(oldest);
  }
}

/** The relative paths of a folder's code, sorted, without looking through the folder where that can be spared. */
export function listedFiles(dir: string): readonly string[] {
  return validListing(dir)?.files ?? relist(dir);
}

/** The same; the folder is looked through in any case. */
export function relist(dir: string, now = Date.now()): readonly string[] {
  const { root, files, plain } = findCode(dir);
  // Of the folder that was looked through, should `dir` be a link that has come to lead elsewhere meanwhile.
  const stamp = plain && stampOf(root, plain.folders);
  if (stamp && stamp.newest < now - SETTLED_MS) {
    cacheListing(dir, { files, ...plain, stamp: stamp.text });
  } else cache.delete(dir);
  return files;
}

/** Undefined where something is no folder any more, or not to be seen: then the folder is looked through. */
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
    // Gone, or a link in its place that leads nowhere or round in a circle. What it means is found out by looking.
    return undefined;
  }
}
