/** Restores a folder's code from a kept copy. */
// The default import keeps each call visible to a spy.
import fs, { existsSync, lstatSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { codeFiles } from "../code/code-files.js";
import { writeFileAtomic } from "../files.js";
import { type Displaced, makeRoom, type OnDisplace, putBack, removeLink } from "./displaced.js";

/**
 * Writes changed and missing code files and removes all others. `node_modules`, data and dot-files stay. Each
 * file is replaced atomically; the call may be repeated after an interruption.
 *
 * Files behind links belong to others and are never changed: a link stays if the copy has the same content, and
 * is replaced by the copied files otherwise.
 *
 * @param note Called before something is displaced, in case the process ends meanwhile.
 * @returns What was displaced: links, and folders with more than code in them. When it throws, they have been
 *   put back.
 */
export function restoreCode(from: string, dir: string, note?: OnDisplace): Displaced[] {
  const wanted = codeFiles(from);
  const keep = new Set(wanted);
  for (const file of byLink(dir, codeFiles(dir)).get(undefined) ?? []) {
    if (!keep.has(file)) fs.rmSync(join(dir, file), { force: true });
  }
  const displaced: Displaced[] = [];
  try {
    for (const file of byLink(dir, wanted).get(undefined) ?? []) {
      displaced.push(...makeRoom(join(dir, file), note));
      restoreFile(from, dir, file);
    }
    // Links may lead to other links, so replacing one can change what is behind the next.
    while (replaceLinks(from, dir, wanted, displaced, note));
  } catch (error) {
    putBack(displaced);
    throw error;
  }
  return displaced;
}

function restoreFile(from: string, dir: string, file: string): void {
  const [source, target] = [join(from, file), join(dir, file)];
  if (isSame(source, target)) return;
  const { mode } = statSync(source);
  writeFileAtomic(target, readFileSync(source), mode);
  fs.chmodSync(target, mode);
}

/** Replaces each link whose content differs from the copy. Returns whether any was replaced. */
function replaceLinks(
  from: string,
  dir: string,
  wanted: readonly string[],
  displaced: Displaced[],
  note?: OnDisplace,
): boolean {
  const [shown, kept] = [byLink(dir, codeFiles(dir)), byLink(dir, wanted)];
  let replaced = false;
  for (const link of new Set([...shown.keys(), ...kept.keys()])) {
    if (link === undefined) continue;
    const [present, files] = [shown.get(link) ?? [], kept.get(link) ?? []];
    const isKept = (file: string, n: number) =>
      present[n] === file && isSame(join(from, file), join(dir, file));
    if (files.length === present.length && files.every(isKept)) continue;
    const places = files.map((file) => join(dir, file));
    displaced.push(removeLink(join(dir, link), places, note));
    for (const file of files) restoreFile(from, dir, file);
    replaced = true;
  }
  return replaced;
}

/** Groups files by the link through which they are reached; `undefined` for files directly in the folder. */
function byLink(dir: string, files: readonly string[]): Map<string | undefined, string[]> {
  return Map.groupBy(files, (file) => linkOn(dir, file));
}

/** The first link on the path to a file, the file itself included. */
export function linkOn(dir: string, file: string): string | undefined {
  for (let end = file.indexOf("/"); ; end = file.indexOf("/", end + 1)) {
    const path = end === -1 ? file : file.slice(0, end);
    const stat = lstatSync(join(dir, path), { throwIfNoEntry: false });
    if (stat?.isSymbolicLink()) return path;
    if (end === -1 || !stat?.isDirectory()) return undefined;
  }
}

/** Whether `other` exists and has the same content as `one`. */
export function isSame(one: string, other: string): boolean {
  if (!existsSync(other)) return false;
  const { size } = statSync(one);
  const stat = statSync(other);
  return stat.isFile() && stat.size === size && readFileSync(other).equals(readFileSync(one));
}
