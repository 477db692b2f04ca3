/** Detects changes of a service's folder, by `stat` data and by content digests. */
// The default import keeps each call visible to a spy.
import fs from "node:fs";
import { assertSize } from "./code-files.js";
import { listedFiles, relist } from "./listings.js";

/** The `stat` data of a folder's code. Equal fingerprints that are not `fresh` mean equal code. */
export interface Fingerprint {
  text: string;
  /** Whether something changed so recently that a further change might not show in `stat`. */
  fresh: boolean;
}

/** Coarser than the timestamp resolution of most file systems, in milliseconds. */
const STAMP_GRAIN_MS = 50;

/** The current fingerprint of a folder's code. */
export function fingerprint(dir: string, now = Date.now()): Fingerprint {
  return statFiles(dir, listedFiles(dir), now);
}

/** SHA-256 (hex) of the names and contents of a folder's code. */
export function contentDigest(dir: string): string {
  return readSource(dir).digest;
}

/** Whether a value has the form of a content digest, which is also the name of a copy of that code. */
export const isDigest = (value: unknown): value is string =>
  typeof value === "string" && /^[0-9a-f]{64}$/.test(value);

/** Identifies the code that a version was made from. */
export interface Source {
  digest: string;
  fingerprint: Fingerprint;
}

/**
 * Reads a folder's code. Call it before importing the folder, so that later changes are detected.
 *
 * @throws LoadFailure when there is too much code; nothing has been read then.
 */
export function readSource(dir: string): Source {
  const found: Found[] = [];
  const seen = statFiles(dir, relist(dir), Date.now(), found);
  assertSize(found);
  const hash = new Bun.CryptoHasher("sha256");
  for (const one of found) {
    if (one.size > CHUNK_BYTES) hashInChunks(hash, one);
    else hashWhole(hash, one);
  }
  return { fingerprint: seen, digest: hash.digest("hex") };
}

/** Whether a folder's code is unchanged since it was read, judging by `stat` alone. If so, nothing need be read. */
export function standsAsRead(dir: string, { fingerprint: seen }: Source): boolean {
  return !seen.fresh && fingerprint(dir).text === seen.text;
}

/** Larger files are read in chunks of this size. */
const CHUNK_BYTES = 2 ** 20;

function hashWhole(hash: Bun.CryptoHasher, { file, path }: Found): void {
  const content = fs.readFileSync(path);
  hash.update(`${file}\0${content.byteLength}\0`);
  hash.update(content);
}

/** Yields the same hash as `hashWhole`. Data appended meanwhile is ignored: the next fingerprint reveals it. */
function hashInChunks(hash: Bun.CryptoHasher, { file, path, size }: Found): void {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  hash.update(`${file}\0${size}\0`);
  const fd = fs.openSync(path, "r");
  try {
    for (let left = size; left > 0; ) {
      const length = fs.readSync(fd, chunk, 0, Math.min(left, CHUNK_BYTES), null);
      if (length === 0) break;
      hash.update(chunk.subarray(0, length));
      left -= length;
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** A file with its size. */
interface Found {
  file: string;
  path: string;
  size: number;
}

const OR_NOTHING = { throwIfNoEntry: false } as const;

/**
 * Builds a fingerprint and collects the files in `found`. A minimal loop, since a start runs it for every
 * service.
 */
function statFiles(dir: string, files: readonly string[], now: number, found?: Found[]): Fingerprint {
  let text = "";
  let newest = 0;
  for (const file of files) {
    const path = `${dir}/${file}`;
    const stat = fs.statSync(path, OR_NOTHING);
    if (!stat) continue;
    const { size, mtimeMs, ctimeMs, ino } = stat;
    text += `${file}\0${size}\0${mtimeMs}\0${ctimeMs}\0${ino}\n`;
    newest = Math.max(newest, ctimeMs, mtimeMs);
    if (found && stat.isFile()) found.push({ file, path, size });
  }
  return { text, fresh: now - newest < STAMP_GRAIN_MS };
}
