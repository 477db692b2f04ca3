/** Rejects packages with links that lead outside. */
import { readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { holds } from "../core/code/code-files.js";
import { ManifestError } from "./errors.js";

const MAX_ENTRIES = 200_000;

/**
 * Rejects a package that contains links leading out of its folder: what looks like its own file would be
 * another's. This includes `node_modules/.bin` and linked workspaces.
 *
 * @throws ManifestError
 */
export function refuseEscapingLinks(root: string): void {
  const pending = [root];
  let seen = 0;
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (++seen > MAX_ENTRIES) throw new ManifestError("package", `contains more than ${MAX_ENTRIES} files`);
      const path = join(folder, entry.name);
      if (entry.isSymbolicLink()) refuseEscape(path, root);
      else if (entry.isDirectory()) pending.push(path);
    }
  }
}

function refuseEscape(link: string, root: string): void {
  let target: string;
  try {
    target = realpathSync(link);
  } catch {
    throw new ManifestError("package", `the link ${link.slice(root.length + 1)} is broken`);
  }
  if (!holds(root, target)) {
    throw new ManifestError("package", `the link ${link.slice(root.length + 1)} leads out of the package`);
  }
}
