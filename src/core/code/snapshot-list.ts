/** The list of a folder's kept versions; rebuilt when it is damaged. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../errors.js";
import { readWithMark, setAside } from "../files.js";
import { isDigest } from "./digest.js";

/** One kept version. `keptAt` is when it was last put into service or set aside (ISO 8601). */
export interface Snapshot {
  digest: string;
  keptAt: string;
  /** False for code that a rollback replaced before it ever served. */
  served: boolean;
}

/** The path of the list in a folder of copies. */
export function listPath(folder: string): string {
  return join(folder, "index.json");
}

/**
 * The versions kept in `folder`, latest first. A damaged list is set aside and reported to `warn`.
 *
 * @throws Error when the list cannot be read or set aside; it must not be written then.
 */
export function readList(folder: string, warn: (message: string) => void): Snapshot[] {
  const path = listPath(folder);
  // Copies without a list remain when a damaged list was set aside and nothing was kept since.
  const kept = readWithMark(path);
  if (!kept) return findCopies(folder);
  try {
    return parseList(new TextDecoder().decode(kept.bytes)).filter(({ digest }) =>
      existsSync(join(folder, digest)),
    );
  } catch (error) {
    const copy = setAside(path);
    const found = findCopies(folder);
    warn(`${path} is damaged (${messageOf(error)}): moved to ${copy}; ${found.length} copies recovered`);
    return found;
  }
}

function parseList(text: string): Snapshot[] {
  const known: unknown = JSON.parse(text);
  if (Array.isArray(known) && known.every(isSnapshot)) return known;
  throw new TypeError("it is not a list of versions");
}

function isSnapshot(value: unknown): value is Snapshot {
  const { digest, keptAt, served } = Object(value) as Partial<Record<keyof Snapshot, unknown>>;
  return isDigest(digest) && typeof keptAt === "string" && typeof served === "boolean";
}

/**
 * Finds copies by their names, which are digests. Nearly all have served, and a rollback tries each like other
 * code.
 */
function findCopies(folder: string): Snapshot[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter(isDigest)
    .map((digest) => ({ digest, keptAt: statSync(join(folder, digest)).mtime.toISOString(), served: true }))
    .sort((one, other) => (one.keptAt < other.keptAt ? 1 : -1));
}
