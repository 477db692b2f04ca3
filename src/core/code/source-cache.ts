/** Remembers the digests of service folders, so that the next start need not read unchanged ones. */
import { join } from "node:path";
import { messageOf } from "../errors.js";
import { readWithMark, writeFileAtomic } from "../files.js";
import type { Logger } from "../log.js";
import { fingerprint, readSource, type Source } from "./digest.js";
import { cacheListing, type Listing, validListing } from "./listings.js";

/** The hash of the fingerprint, the digest of the code, and the list of files if the folder has no links. */
type Entry = readonly [stamp: string, digest: string, listing?: Listing];

/** Persisted in `<data>/.reef/sources.json`. Losing the file only costs time. */
export class SourceCache {
  readonly #path: string;
  readonly #log: Logger;
  /** By folder name, as read from disk. */
  readonly #previous: Map<string, Entry>;
  readonly #current = new Map<string, { dir: string; stamp: string; digest: string }>();

  constructor(dataDir: string, log: Logger) {
    this.#path = join(dataDir, ".reef", "sources.json");
    this.#log = log;
    this.#previous = this.#read();
  }

  /** The current code of `dir`; see `readSource`. Files are read only if they may have changed. */
  read(dirName: string, dir: string): Source {
    const source = this.#fromCache(dirName, dir) ?? readSource(dir);
    const { fingerprint, digest } = source;
    // A further change within the timestamp resolution would not show.
    if (!fingerprint.fresh) this.#current.set(dirName, { dir, stamp: stampOf(fingerprint.text), digest });
    return source;
  }

  #fromCache(dirName: string, dir: string): Source | undefined {
    const [stamp, digest, listing] = this.#previous.get(dirName) ?? [];
    if (digest === undefined) return undefined;
    if (listing) cacheListing(dir, listing);
    try {
      const seen = fingerprint(dir);
      return !seen.fresh && stamp === stampOf(seen.text) ? { fingerprint: seen, digest } : undefined;
    } catch {
      // The cached names may be invalid. If the folder itself is unreadable, reading it reports that.
      return undefined;
    }
  }

  /** Saves the entries read since the start. Never throws. */
  save(): void {
    try {
      const entries: [string, Entry][] = [];
      let isNew = this.#current.size !== this.#previous.size;
      for (const [dirName, { dir, stamp, digest }] of this.#current) {
        const listing = validListing(dir);
        const previous = this.#previous.get(dirName);
        isNew ||= previous?.[0] !== stamp || previous[1] !== digest || previous[2]?.stamp !== listing?.stamp;
        entries.push([dirName, listing ? [stamp, digest, listing] : [stamp, digest]]);
      }
      if (isNew) writeFileAtomic(this.#path, JSON.stringify(entries));
    } catch (error) {
      this.#log.warn(`cannot save the folders' digests in ${this.#path}: ${messageOf(error)}`);
    }
  }

  #read(): Map<string, Entry> {
    try {
      const kept = readWithMark(this.#path);
      if (!kept) return new Map();
      const known: unknown = JSON.parse(new TextDecoder().decode(kept.bytes));
      if (isEntryList(known)) return new Map(known);
      this.#log.warn(`${this.#path} is not valid; all folders are read again`);
    } catch (error) {
      this.#log.warn(`${this.#path} is unreadable; all folders are read again: ${messageOf(error)}`);
    }
    return new Map();
  }
}

function stampOf(text: string): string {
  return Bun.SHA256.hash(text, "base64");
}

function isEntryList(value: unknown): value is [string, Entry][] {
  const isEntry = (entry: unknown) =>
    Array.isArray(entry) && typeof entry[0] === "string" && Array.isArray(entry[1]) && isRest(entry[1]);
  const isRest = ([stamp, digest, listing]: unknown[]) =>
    typeof stamp === "string" &&
    typeof digest === "string" &&
    (listing === undefined || isListing(listing as Partial<Listing>));
  return Array.isArray(value) && value.every(isEntry);
}

function isListing({ files, folders, isFlat, stamp }: Partial<Listing>): boolean {
  return areStrings(files) && areStrings(folders) && typeof isFlat === "boolean" && typeof stamp === "string";
}

const areStrings = (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === "string");
