/** Makes the code of a folder what a kept copy holds. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeFiles } from "./code-files.js";
import { asideName, writeFileAtomic } from "./files.js";

/**
 * Changed and missing files are written, others removed. `node_modules`, data and dot-files stay. Each file is
 * replaced in one step; repeat the call if it was interrupted.
 *
 * What is behind a link belongs to others and is never changed: the link stays where that is what was kept, and gives
 * way to the kept files where it is not.
 *
 * @returns Where folders are now that a file took the place of, if there was more than code in them.
 */
export function restoreCode(from: string, dir: string): string[] {
  const wanted = codeFiles(from);
  const keep = new Set(wanted);
  for (const file of byLink(dir, codeFiles(dir)).get(undefined) ?? []) {
    if (!keep.has(file)) rmSync(join(dir, file), { force: true });
  }
  const aside: string[] = [];
  for (const file of byLink(dir, wanted).get(undefined) ?? []) {
    aside.push(...makeRoom(join(dir, file)));
    restoreFile(from, dir, file);
  }
  // Where links lead to others, one that gives way changes what is behind the next.
  while (replaceLinks(from, dir, wanted));
  return aside;
}

/** Moves a folder without code out of the way, under a name that is no code either; an empty one is removed. */
function makeRoom(path: string): string[] {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
  if (isEmpty(path)) {
    rmSync(path, { recursive: true });
    return [];
  }
  const aside = asideName(join(dirname(path), `.${basename(path)}`), "replaced");
  renameSync(path, aside);
  return [aside];
}

/** Whether there is nothing but folders in a folder. */
function isEmpty(folder: string): boolean {
  return readdirSync(folder, { withFileTypes: true }).every(
    (entry) => entry.isDirectory() && isEmpty(join(folder, entry.name)),
  );
}

function restoreFile(from: string, dir: string, file: string): void {
  const [source, target] = [join(from, file), join(dir, file)];
  if (isSame(source, target)) return;
  writeFileAtomic(target, readFileSync(source));
  chmodSync(target, statSync(source).mode);
}

/** Puts kept files into the place of each link that shows others. False when there was none. */
function replaceLinks(from: string, dir: string, wanted: readonly string[]): boolean {
  const [shown, kept] = [byLink(dir, codeFiles(dir)), byLink(dir, wanted)];
  let replaced = false;
  for (const link of new Set([...shown.keys(), ...kept.keys()])) {
    if (link === undefined) continue;
    const [present, files] = [shown.get(link) ?? [], kept.get(link) ?? []];
    const isKept = (file: string, n: number) =>
      present[n] === file && isSame(join(from, file), join(dir, file));
    if (files.length === present.length && files.every(isKept)) continue;
    unlinkSync(join(dir, link));
    for (const file of files) restoreFile(from, dir, file);
    replaced = true;
  }
  return replaced;
}

/** Files by the link through which they are reached; `undefined` for those that are in the folder itself. */
function byLink(dir: string, files: readonly string[]): Map<string | undefined, string[]> {
  return Map.groupBy(files, (file) => linkOn(dir, file));
}

/** The first link on the way to a file, itself included. */
function linkOn(dir: string, file: string): string | undefined {
  for (let end = file.indexOf("/"); ; end = file.indexOf("/", end + 1)) {
    const path = end === -1 ? file : file.slice(0, end);
    const stat = lstatSync(join(dir, path), { throwIfNoEntry: false });
    if (stat?.isSymbolicLink()) return path;
    if (end === -1 || !stat?.isDirectory()) return undefined;
  }
}

function isSame(one: string, other: string): boolean {
  return existsSync(other) && statSync(other).isFile() && readFileSync(other).equals(readFileSync(one));
}
