/**
 * Bun remembers for the life of the process what a folder held when it first looked for an import there: a file that
 * was renamed since is read under its old name, a link is followed to where it led then.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { findCode } from "./code-files.js";

/** By folder, a hash of the paths that its imports can lead to. */
const known = new Map<string, number | bigint>();

/**
 * Has the imports of a service's code looked up anew, in its own folders and those of its packages, unless all paths
 * are as they were at the last call: Bun keeps some KB for each folder that it reads again.
 */
export function forgetPaths(dir: string): void {
  const { files, reals, folders } = findCode(dir);
  const packages = packagesIn(join(dir, "node_modules")).map((name) => join(dir, "node_modules", name));
  const paths = Bun.hash([...files, ...reals, ...folders, ...packages.map(entryOf)].join("\0"));
  if (known.get(dir) === paths) return;
  known.set(dir, paths);
  for (const folder of [dirname(dir), ...folders, ...packages]) lookForNothing(folder);
}

/** A package with what its `package.json` was when it was last changed. */
function entryOf(folder: string): string {
  const path = join(folder, "package.json");
  // Where a link leads to a file, asking for the state of what is below it throws.
  const stat = existsSync(path) ? statSync(path) : undefined;
  return `${folder} ${stat?.mtimeMs} ${stat?.size} ${stat?.ino}`;
}

/** What is not found makes Bun read the folder again. Costs some 20 µs. */
function lookForNothing(folder: string): void {
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

/** The folders in a folder, links included; none when there is no such folder. */
function namesIn(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith("."))
    .map(({ name }) => name);
}
