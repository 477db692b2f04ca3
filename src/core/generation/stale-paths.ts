/**
 * Bun remembers for the life of the process what a folder held when it first looked for an import there: a file that
 * was renamed since is read under its old name, a link is followed to where it led then.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { findCode, follow } from "../code/code-files.js";
import { validListing } from "../code/listings.js";
import { isA } from "../errors.js";

/** What a service's folder was like at its last import. */
interface FolderPaths {
  /** A hash of the paths that its imports can lead to; missing at first, when nothing is compared. */
  paths?: number | bigint;
  folders: readonly string[];
}

const lastScans = new Map<string, FolderPaths>();

/**
 * Has the imports of a service's code looked up anew, in its own folders and those of its packages, the ones that are
 * gone included, unless all paths are as they were at the last call: Bun keeps some KB for each folder that it reads
 * again. Before the first import in this process it only finds out which folders there are.
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

/** Whether a folder holds nothing but files. Costs less than to scanPaths, as a start does for each service. */
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

/** Whether an import failed for a file that is not where it was found once. */
export function isStale(error: unknown): boolean {
  return isA(error, BuildMessage) && error.message.startsWith("ENOENT reading ");
}

/** How many folders of packages are looked up anew at most. Costs some 0.1 s. */
const MAX_FOLDERS = 5000;

/** Has imports looked up anew also within the packages of a service, for when one of them failed. */
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

/** A package with what its `package.json` was when it was last changed. */
function entryOf(folder: string): string {
  const path = join(folder, "package.json");
  // Where a link leads to a file, asking for the state of what is below it throws.
  const stat = existsSync(path) ? statSync(path) : undefined;
  return `${folder} ${stat?.mtimeMs} ${stat?.size} ${stat?.ino}`;
}

/** What is not found makes Bun read the folder again. Costs some 20 µs. */
function invalidateFolder(folder: string): void {
  try {
    Bun.resolveSync(`./${Bun.randomUUIDv7()}`, folder);
  } catch (error) {
    if (!(error instanceof ResolveMessage)) throw error;
  }
}

/** `name` or `@scope/name`; those of packages inside packages are left out, for there can be thousands. */
function packagesIn(folder: string): string[] {
  return namesIn(folder).flatMap((name) =>
    name.startsWith("@") ? namesIn(join(folder, name)).map((inner) => join(name, inner)) : name,
  );
}

/** The folders in a folder, links included, without those of tools; none when there is no such folder. */
const namesIn = (folder: string) => foldersIn(folder).filter((name) => !name.startsWith("."));

function foldersIn(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name);
}
