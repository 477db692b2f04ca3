/**
 * Works around Bun's cache of directory listings, which lasts for the life of the process: a renamed file is
 * read under its old name, and a link is followed to its old target.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { findCode, follow } from "../code/code-files.js";
import { validListing } from "../code/listings.js";
import { isA } from "../errors.js";

/** A service's folder at its last import. */
interface FolderPaths {
  /** A hash of the paths that its imports can resolve to; undefined before the first comparison. */
  paths?: number | bigint;
  folders: readonly string[];
}

const lastScans = new Map<string, FolderPaths>();

/**
 * Makes Bun resolve a service's imports afresh, in its own folders and those of its packages, removed ones
 * included, unless all paths are unchanged since the last call: Bun keeps some KB for each folder that it reads
 * again. Before the first import in this process, only the folders are recorded.
 */
export function forgetPaths(dir: string): void {
  const last = lastScans.get(dir);
  if (!last) {
    lastScans.set(dir, { folders: isFlat(dir) ? [dir] : scanPaths(dir).folders });
    return;
  }
  const present = scanPaths(dir);
  if (present.paths === last.paths) return;
  lastScans.set(dir, present);
  for (const folder of new Set([dirname(dir), ...last.folders, ...present.folders])) invalidateFolder(folder);
}

/** Whether a folder contains only files. Cheaper than a scan; a start does this for each service. */
const isFlat = (dir: string) =>
  validListing(dir)?.isFlat ?? readdirSync(dir, { withFileTypes: true }).every((entry) => entry.isFile());

function scanPaths(dir: string): Required<FolderPaths> {
  const { files, reals, folders } = findCode(dir);
  const packages = packagesIn(join(dir, "node_modules")).map((name) => join(dir, "node_modules", name));
  return {
    paths: Bun.hash([...files, ...reals, ...folders, ...packages.map(entryOf)].join("\0")),
    folders: [...folders, ...packages],
  };
}

/** Whether an import failed because of a file that is no longer where it was. */
export function isStale(error: unknown): boolean {
  return isA(error, BuildMessage) && error.message.startsWith("ENOENT reading ");
}

/** The maximum number of package folders to refresh, which takes about 0.1 s. */
const MAX_FOLDERS = 5000;

/** Makes Bun resolve imports afresh inside a service's packages too. For when an import has failed. */
export function forgetPackages(dir: string): void {
  const paths = new Set([join(dir, "node_modules")]);
  const reals = new Set<string>();
  for (const path of paths) {
    const target = follow(path);
    if (!target?.stat.isDirectory()) continue;
    invalidateFolder(path);
    invalidateFolder(target.real);
    if (reals.has(target.real)) continue;
    reals.add(target.real);
    for (const name of foldersIn(path)) if (paths.size < MAX_FOLDERS) paths.add(join(path, name));
  }
}

/** Identifies a package and the state of its `package.json`. */
function entryOf(folder: string): string {
  const path = join(folder, "package.json");
  // If a link leads to a file, a stat of a path below it throws.
  const stat = existsSync(path) ? statSync(path) : undefined;
  return `${folder} ${stat?.mtimeMs} ${stat?.size} ${stat?.ino}`;
}

/** Invalidates Bun's cached listing of a folder: a failed lookup makes Bun read it again. Takes about 20 µs. */
function invalidateFolder(folder: string): void {
  try {
    Bun.resolveSync(`./${Bun.randomUUIDv7()}`, folder);
  } catch (error) {
    if (!(error instanceof ResolveMessage)) throw error;
  }
}

/**
 * The packages in a folder, as `name` or `@scope/name`. Nested packages are left out, since there can be
 * thousands.
 */
function packagesIn(folder: string): string[] {
  return namesIn(folder).flatMap((name) =>
    name.startsWith("@") ? namesIn(join(folder, name)).map((inner) => join(name, inner)) : name,
  );
}

/** The subfolders of a folder, links included, without dot-folders; empty when it does not exist. */
const namesIn = (folder: string) => foldersIn(folder).filter((name) => !name.startsWith("."));

function foldersIn(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name);
}
