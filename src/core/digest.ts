/** Has a service's folder changed, and which code does it hold? */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { LoadFailure } from "./load-failure.js";

const MAX_FILES = 5000;

/** Not code: what tools, installs and running services leave in a folder. */
const SKIPPED = new Set(["node_modules", "data"]);

/** Relative paths of a service's own files, sorted; without `node_modules`, `data` and dot-files. */
export function codeFiles(dir: string): string[] {
  const files: string[] = [];
  const visit = (below: string) => {
    for (const entry of readdirSync(join(dir, below), { withFileTypes: true })) {
      if (
        entry.name.startsWith(".") ||
        (below === "" && SKIPPED.has(entry.name)) ||
        entry.name === "node_modules"
      )
        continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile() || entry.isSymbolicLink()) files.push(path);
      if (files.length > MAX_FILES) {
        throw new LoadFailure("UNREADABLE", "find", `the folder holds more than ${MAX_FILES} files.`);
      }
    }
  };
  visit("");
  return files.sort();
}

/** What `stat` says about a folder's code. Equal fingerprints that are not `fresh` mean equal code. */
export interface Fingerprint {
  text: string;
  /** Something changed so recently that a further change might not show in `stat`. */
  fresh: boolean;
}

/** Coarser than the clock ticks by which file systems stamp changes. */
const STAMP_GRAIN_MS = 50;

export function fingerprint(dir: string, now = Date.now()): Fingerprint {
  const parts: string[] = [];
  let newest = 0;
  for (const file of codeFiles(dir)) {
    const stat = statSync(join(dir, file), { throwIfNoEntry: false });
    if (!stat) continue;
    parts.push(`${file}\0${stat.size}\0${stat.mtimeMs}\0${stat.ctimeMs}\0${stat.ino}`);
    newest = Math.max(newest, stat.ctimeMs, stat.mtimeMs);
  }
  return { text: parts.join("\n"), fresh: now - newest < STAMP_GRAIN_MS };
}

/** SHA-256 (hex) over the names and contents of a folder's code. */
export function contentDigest(dir: string): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const file of codeFiles(dir)) {
    const path = join(dir, file);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    const content = readFileSync(path);
    hash.update(`${file}\0${content.byteLength}\0`);
    hash.update(content);
  }
  return hash.digest("hex");
}
