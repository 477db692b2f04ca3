/**
 * Bun remembers for the life of the process what a folder held when it first looked for an import there: a file that
 * was renamed since is read under its old name, a link is followed to where it led then.
 */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { findCode } from "./code-files.js";

/** Has the imports of a service's code looked up anew, in its own folders and those of its packages. */
export function forgetPaths(dir: string): void {
  const folders = new Set([dirname(dir), ...findCode(dir).folders]);
  for (const name of packagesIn(join(dir, "node_modules"))) folders.add(join(dir, "node_modules", name));
  for (const folder of folders) lookForNothing(folder);
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

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Most services have no packages of their own.
    return [];
  }
}
