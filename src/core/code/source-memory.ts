/** What service folders held when they were last read, so that the next start need not read unchanged ones. */
import { join } from "node:path";
import { messageOf } from "../errors.js";
import { readWithMark, writeFileAtomic } from "../files.js";
import type { Logger } from "../log.js";
import { fingerprint, readSource, type Source } from "./digest.js";
import { type Listing, recallListing, standingListing } from "./listings.js";

/** A digest of the fingerprint, the digest of the code, and where it has no links the list of its files. */
type Entry = readonly [stamp: string, digest: string, listing?: Listing];

/** Remembers in `<data>/.reef/sources.json`. Losing it costs reading the folders again. */
export class SourceMemory {
  readonly #path: string;
  readonly #log: Logger;
  /** By the folder's name. */
  readonly #before: Map<string, Entry>;
  readonly #now = new Map<string, { dir: string; stamp: string; digest: string }>();

  constructor(dataDir: string, log: Logger) {
    this.#path = join(dataDir, ".reef", "sources.json");
    this.#log = log;
    this.#before = this.#read();
  }

  /** What the folder `dir` holds now; see `readSource`. Its files are read only if they may have changed. */
  read(dirName: string, dir: string): Source {
    const source = this.#recall(dirName, dir) ?? readSource(dir);
    const { fingerprint, digest } = source;
    // A further change within the same tick of the clock would not show.
    if (!fingerprint.fresh) this.#now.set(dirName, { dir, stamp: stampOf(fingerprint.text), digest });
    return source;
  }

  #recall(dirName: string, dir: string): Source | undefined {
    const [stamp, digest, listing] = this.#before.get(dirName) ?? [];
    if (digest === undefined) return undefined;
    if (listing) recallListing(dir, listing);
    try {
      const seen = fingerprint(dir);
      return !seen.fresh && stamp === stampOf(seen.text) ? { fingerprint: seen, digest } : undefined;
    } catch {
      // Names in the list may be none. Where it is the folder that cannot be read, reading it says so.
      return undefined;
    }
  }

  /** Writes what was read down for the next start, without folders that are gone. Never throws. */
  save(): void {
    try {
      const entries: [string, Entry][] = [];
      let isNew = this.#now.size !== this.#before.size;
      for (const [dirName, { dir, stamp, digest }] of this.#now) {
        const listing = standingListing(dir);
        const before = this.#before.get(dirName);
        isNew ||= before?.[0] !== stamp || before[1] !== digest || before[2]?.stamp !== listing?.stamp;
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
      if (isKnown(known)) return new Map(known);
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

function isKnown(value: unknown): value is [string, Entry][] {
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
