/** Which files of a service's folder are its code. */
import { readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { LoadFailure } from "../load-failure.js";
import { systemErrorCode } from "../storage-error.js";

const MAX_FILES = 5000;

/** Whoever asks for a folder's digest waits for its files to be read, and kept versions hold copies of them. */
export const MAX_BYTES = 256 * 2 ** 20;

/**
 * Whether a path in a service's folder is code by its names: neither dot-files and `node_modules` nor what is below
 * them is, nor the folder's own `data`, where a running service may write.
 */
export function isCode(path: string): boolean {
  const names = path.split("/");
  return names[0] !== "data" && !names.some((name) => name === "node_modules" || name.startsWith("."));
}

/** Code as it was found in a folder. */
export interface Code {
  /** Where the folder really is. */
  root: string;
  /** Relative paths, sorted. */
  files: string[];
  /** Where each of the files really is. */
  reals: string[];
  /** Its folders, by every path that leads to one of them. */
  folders: ReadonlySet<string>;
  /** Where no link is among it: its folders, relative and "" for itself, and whether there are files only in it. */
  plain: { folders: string[]; isFlat: boolean } | undefined;
}

/** Relative paths of a service's code, sorted; see `findCode`. */
export function codeFiles(dir: string): string[] {
  return findCode(dir).files;
}

/**
 * Goes through a service's code. Links are followed, for what is behind them is what runs, but not round in circles,
 * nor to what is no code at its own place in the folder.
 */
export function findCode(dir: string): Code {
  const root = realpathSync(dir);
  const found: (readonly [path: string, real: string])[] = [];
  const folders = new Set<string>();
  const plain = { folders: [] as string[], isFlat: true };
  let links = 0;
  let behindLinks = 0;
  /** `real` is the folder's real path, `trail` those of the folders where links to it were followed. */
  const visit = (below: string, real: string, trail: readonly string[]) => {
    folders.add(join(dir, below)).add(real);
    plain.folders.push(below);
    if (trail.length > 0) behindLinks++;
    for (const entry of readdirSync(real, { withFileTypes: true })) {
      if (!entry.isFile()) plain.isFlat = false;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (!isCode(path)) continue;
      const place = join(real, entry.name);
      if (entry.isSymbolicLink()) {
        links++;
        const target = follow(place);
        if (!target || PSEUDO.test(target.real)) continue;
        if (holds(root, target.real) && !isCode(relative(root, target.real))) continue;
        if (target.stat.isFile()) found.push([path, target.real]);
        const holders = [...trail, real];
        if (!target.stat.isDirectory() || holders.some((holder) => holds(target.real, holder))) continue;
        folders.add(place);
        visit(path, target.real, holders);
      } else if (entry.isDirectory()) visit(path, place, trail);
      else if (entry.isFile()) found.push([path, place]);
      // Folders that link to each other make many paths of few files.
      if (Math.max(found.length, behindLinks) > MAX_FILES) throw tooMany();
    }
  };
  visit("", root, []);
  found.sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    root,
    files: found.map(([path]) => path),
    reals: found.map(([, real]) => real),
    folders,
    plain: links === 0 ? plain : undefined,
  };
}

/** File systems in which files are no files: to read one may take for ever. */
const PSEUDO = /^\/(proc|sys|dev)(\/|$)/;

const LEADS_NOWHERE = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

/** Where a path leads; undefined when that is nowhere. */
export function follow(link: string): { real: string; stat: Stats } | undefined {
  try {
    const real = realpathSync(link);
    return { real, stat: statSync(real) };
  } catch (error) {
    if (LEADS_NOWHERE.has(systemErrorCode(error))) return undefined;
    throw error;
  }
}

/** Whether `inner` is the folder `outer` or in it; both are real paths. */
export function holds(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);
}

/**
 * Refuses code that is too large, before any of it is read.
 *
 * @throws LoadFailure
 */
export function assertSize(files: readonly { file: string; size: number }[]): void {
  let total = 0;
  for (const { size } of files) total += size;
  if (total > MAX_BYTES) throw tooLarge(files, total);
}

function tooLarge(files: readonly { file: string; size: number }[], total: number): LoadFailure {
  const inMB = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MB`;
  const biggest = files.reduce((one, other) => (other.size > one.size ? other : one));
  return new LoadFailure(
    "UNREADABLE",
    "find",
    `the folder contains ${inMB(total)} of code, including links, which is more than ${inMB(MAX_BYTES)}; ` +
      `the largest file is ${biggest.file} (${inMB(biggest.size)}). ` +
      'Move files that are not code into the folder\'s own "data", or out of the folder.',
  );
}

function tooMany(): LoadFailure {
  return new LoadFailure(
    "UNREADABLE",
    "find",
    `the folder contains more than ${MAX_FILES} files, including links.`,
  );
}
