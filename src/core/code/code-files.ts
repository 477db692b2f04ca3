/** Determines which files of a service's folder are code. */
import { readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { LoadFailure } from "../load-failure.js";
import { systemErrorCode } from "../storage-error.js";

const MAX_FILES = 5000;

/** The maximum size of a folder's code: digests read all of it, and kept versions are copies of it. */
export const MAX_BYTES = 256 * 2 ** 20;

/**
 * Whether a path in a service's folder is code, judging by its names. Dot-files, `node_modules` and everything
 * below them are not, nor is the folder's own `data`, where a running service may write.
 */
export function isCode(path: string): boolean {
  const names = path.split("/");
  return names[0] !== "data" && !names.some((name) => name === "node_modules" || name.startsWith("."));
}

/** The code found in a folder. */
export interface Code {
  /** The folder's real path. */
  root: string;
  /** Relative paths, sorted. */
  files: string[];
  /** The real path of each file. */
  reals: string[];
  /** All folders, by every path that leads to them. */
  folders: ReadonlySet<string>;
  /** For code without links: its folders, relative and "" for the root, and whether it contains files only. */
  plain: { folders: string[]; isFlat: boolean } | undefined;
}

/** Relative paths of a service's code, sorted; see `findCode`. */
export function codeFiles(dir: string): string[] {
  return findCode(dir).files;
}

/**
 * Finds a service's code. Links are followed, since what is behind them is what runs, except in cycles and to
 * files of the folder that are not code.
 */
export function findCode(dir: string): Code {
  const root = realpathSync(dir);
  const found: (readonly [path: string, real: string])[] = [];
  const folders = new Set<string>();
  const plain = { folders: [] as string[], isFlat: true };
  let links = 0;
  let behindLinks = 0;
  /** `real` is the folder's real path, `trail` the real paths of the folders whose links led here. */
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
      // Folders that link to each other yield many paths for few files.
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

/** Pseudo file systems: reading one of their files may never end. */
const PSEUDO = /^\/(proc|sys|dev)(\/|$)/;

const LEADS_NOWHERE = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

/** The real path and stat of a path; undefined when it leads nowhere. */
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
 * Rejects code that is too large, before any of it is read.
 *
 * @throws LoadFailure `UNREADABLE`.
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
