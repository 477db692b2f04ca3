/** Folders and links that a restored copy displaces, and how they are put back. */
// The default import keeps each call visible to a spy.
import fs, { existsSync, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { asideName } from "../files.js";

/** A folder that was moved aside, or a link that was removed. */
export interface Displaced {
  /** Its original path. */
  path: string;
  /** The files that replaced it. */
  files: readonly string[];
  /** The folder's new path; undefined for a link. */
  aside?: string;
  /** The link's target; undefined for a folder. */
  target?: string;
}

/** Called before something is displaced. */
export type OnDisplace = (displaced: Displaced) => void;

/**
 * Moves a folder without code out of the way of a file, to a name that does not count as code. Empty folders
 * are removed.
 */
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

/** Whether a folder contains nothing but empty folders. */
function isEmpty(folder: string): boolean {
  return readdirSync(folder, { withFileTypes: true }).every(
    (entry) => entry.isDirectory() && isEmpty(join(folder, entry.name)),
  );
}

/** Removes a link that `files` will replace. The target of the link is untouched. */
export function removeLink(path: string, files: readonly string[], note?: OnDisplace): Displaced {
  const displaced = { path, files, target: readlinkSync(path) };
  note?.(displaced);
  fs.unlinkSync(path);
  return displaced;
}

/** Whether it is at its original path: not displaced yet, or put back. */
export function isInPlace({ path, aside }: Displaced): boolean {
  if (aside !== undefined) return !existsSync(aside);
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/**
 * Puts everything back that was displaced; may be repeated after an interruption. Returns what had to be
 * displaced for that: folders without code that were created meanwhile.
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
