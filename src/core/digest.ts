/** Has a service's folder changed? */
import { readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { listAnew, listFiles, STAMP_GRAIN_MS } from "./listings.js";

/** What `stat` says about a folder's code. Equal fingerprints that are not `fresh` mean equal code. */
export interface Fingerprint {
  text: string;
  /** Something changed so recently that a further change might not show in `stat`. */
  fresh: boolean;
}

export function fingerprint(dir: string, now = Date.now()): Fingerprint {
  return fingerprintOf(look(dir, listFiles(dir)), now);
}

/** SHA-256 (hex) over the names and contents of a folder's code. */
export function contentDigest(dir: string): string {
  return digestOf(dir, look(dir, listAnew(dir)));
}

/** The code that a version was made from. */
export interface Source {
  digest: string;
  fingerprint: Fingerprint;
}

/** What a folder holds now. Take it before importing the folder, so that a later change shows. */
export function readSource(dir: string): Source {
  const files = look(dir, listAnew(dir));
  return { fingerprint: fingerprintOf(files, Date.now()), digest: digestOf(dir, files) };
}

type Seen = readonly [file: string, stat: Stats];

function look(dir: string, files: readonly string[]): Seen[] {
  return files.flatMap((file) => {
    const stat = statSync(join(dir, file), { throwIfNoEntry: false });
    return stat ? [[file, stat] as const] : [];
  });
}

function fingerprintOf(files: readonly Seen[], now: number): Fingerprint {
  const parts: string[] = [];
  let newest = 0;
  for (const [file, stat] of files) {
    parts.push(`${file}\0${stat.size}\0${stat.mtimeMs}\0${stat.ctimeMs}\0${stat.ino}`);
    newest = Math.max(newest, stat.ctimeMs, stat.mtimeMs);
  }
  return { text: parts.join("\n"), fresh: now - newest < STAMP_GRAIN_MS };
}

function digestOf(dir: string, files: readonly Seen[]): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const [file, stat] of files) {
    if (!stat.isFile()) continue;
    const content = readFileSync(join(dir, file));
    hash.update(`${file}\0${content.byteLength}\0`);
    hash.update(content);
  }
  return hash.digest("hex");
}
