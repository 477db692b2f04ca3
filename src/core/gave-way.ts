/** What gives way to the files of a kept copy, and how it gets its place back. */
import { lstatSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { asideName } from "./files.js";

/** A folder that was moved aside, or a link that was removed. */
export interface GaveWay {
  /** Where it was. */
  path: string;
  /** The files that were put into its place. */
  files: readonly string[];
  /** Where the folder is now; undefined for a link. */
  aside?: string;
  /** Where the link led. */
  target?: string;
}

/** Moves a folder without code out of the way of a file, under a name that is no code; an empty one is removed. */
export function makeRoom(path: string): GaveWay[] {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
  if (isEmpty(path)) {
    rmSync(path, { recursive: true });
    return [];
  }
  const aside = asideName(join(dirname(path), `.${basename(path)}`), "replaced");
  renameSync(path, aside);
  return [{ path, files: [path], aside }];
}

/** Whether there is nothing but folders in a folder. */
function isEmpty(folder: string): boolean {
  return readdirSync(folder, { withFileTypes: true }).every(
    (entry) => entry.isDirectory() && isEmpty(join(folder, entry.name)),
  );
}

/** Removes a link that `files` take the place of. What it leads to stays. */
export function removeLink(path: string, files: readonly string[]): GaveWay {
  const target = readlinkSync(path);
  unlinkSync(path);
  return { path, files, target };
}

/** Gives its place back to all that gave way. Returns what gave way to that: what came since and is no code. */
export function putBack(gaveWay: readonly GaveWay[]): GaveWay[] {
  return gaveWay.toReversed().flatMap(({ path, files, aside, target }) => {
    for (const file of files) rmSync(file, { force: true });
    const room = makeRoom(path);
    if (aside !== undefined) renameSync(aside, path);
    if (target !== undefined) symlinkSync(target, path);
    return room;
  });
}
