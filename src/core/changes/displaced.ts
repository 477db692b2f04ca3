/** What gives way to the files of a kept copy, and how it gets its place back. */
// The default import keeps each call visible to a spy.
import fs, { existsSync, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { asideName } from "../files.js";

/** A folder that was moved aside, or a link that was removed. */
export interface Displaced {
  /** Where it was. */
  path: string;
  /** The files that were put into its place. */
  files: readonly string[];
  /** Where the folder is now; undefined for a link. */
  aside?: string;
  /** Where the link led. */
  target?: string;
}

/** Is told what is going to give way, before it does. */
export type OnDisplace = (displaced: Displaced) => void;

/** Moves a folder without code out of the way of a file, under a name that is no code; an empty one is removed. */
export function makeRoom(path: string, note?: OnDisplace): Displaced[] {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
  if (isEmpty(path)) {
    fs.rmSync(path, { recursive: true });
    return [];
  }
  const aside = asideName(join(dirname(path), `.${basename(path)}`), "replaced");
  const displaced = { path, files: [path], aside };
  note?.(displaced);
  fs.renameSync(path, aside);
  return [displaced];
}

/** Whether there is nothing but folders in a folder. */
function isEmpty(folder: string): boolean {
  return readdirSync(folder, { withFileTypes: true }).every(
    (entry) => entry.isDirectory() && isEmpty(join(folder, entry.name)),
  );
}

/** Removes a link that `files` take the place of. What it leads to stays. */
export function removeLink(path: string, files: readonly string[], note?: OnDisplace): Displaced {
  const displaced = { path, files, target: readlinkSync(path) };
  note?.(displaced);
  fs.unlinkSync(path);
  return displaced;
}

/** Whether it has not given way yet, or has its place again. */
export function isInPlace({ path, aside }: Displaced): boolean {
  if (aside !== undefined) return !existsSync(aside);
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/**
 * Gives its place back to all that gave way; repeat the call if it was interrupted. Returns what gave way to that: what
 * came since and is no code.
 */
export function putBack(displaced: readonly Displaced[]): Displaced[] {
  return displaced.toReversed().flatMap((one) => {
    if (isInPlace(one)) return [];
    const { path, files, aside, target } = one;
    for (const file of files) fs.rmSync(file, { force: true });
    const room = makeRoom(path);
    if (aside !== undefined) fs.renameSync(aside, path);
    if (target !== undefined) fs.symlinkSync(target, path);
    return room;
  });
}
