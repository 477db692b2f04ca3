/** Has a service's folder changed? */
import { readFileSync, statSync } from "node:fs";
import { listAnew, listedFiles } from "./listings.js";

/** What `stat` says about a folder's code. Equal fingerprints that are not `fresh` mean equal code. */
export interface Fingerprint {
  text: string;
  /** Something changed so recently that a further change might not show in `stat`. */
  fresh: boolean;
}

/** Coarser than the clock ticks by which most file systems stamp changes, in milliseconds. */
const STAMP_GRAIN_MS = 50;

export function fingerprint(dir: string, now = Date.now()): Fingerprint {
  return look(dir, listedFiles(dir), now);
}

/** SHA-256 (hex) over the names and contents of a folder's code. */
export function contentDigest(dir: string): string {
  return readSource(dir).digest;
}

/** The code that a version was made from. */
export interface Source {
  digest: string;
  fingerprint: Fingerprint;
}

/** What a folder holds now. Take it before importing the folder, so that a later change shows. */
export function readSource(dir: string): Source {
  const hash = new Bun.CryptoHasher("sha256");
  const seen = look(dir, listAnew(dir), Date.now(), (file, path) => {
    const content = readFileSync(path);
    hash.update(`${file}\0${content.byteLength}\0`);
    hash.update(content);
  });
  return { fingerprint: seen, digest: hash.digest("hex") };
}

const OR_NOTHING = { throwIfNoEntry: false } as const;

/** Calls `found` for each that is still a file. A loop without more than it needs: a start looks at every service. */
function look(
  dir: string,
  files: readonly string[],
  now: number,
  found?: (file: string, path: string) => void,
): Fingerprint {
  let text = "";
  let newest = 0;
  for (const file of files) {
    const path = `${dir}/${file}`;
    const stat = statSync(path, OR_NOTHING);
    if (!stat) continue;
    const { size, mtimeMs, ctimeMs, ino } = stat;
    text += `${file}\0${size}\0${mtimeMs}\0${ctimeMs}\0${ino}\n`;
    newest = Math.max(newest, ctimeMs, mtimeMs);
    if (found && stat.isFile()) found(file, path);
  }
  return { text, fresh: now - newest < STAMP_GRAIN_MS };
}
