/** What service folders held when they were last read, so that the next start need not read unchanged ones. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSource, type Source } from "./digest.js";
import { messageOf } from "./errors.js";
import { writeFileAtomic } from "./files.js";
import type { Logger } from "./log.js";

/** By folder: a digest of the fingerprint, and the digest of the code. */
type Known = Map<string, readonly [stamp: string, digest: string]>;

/** Remembers in `<data>/.reef/sources.json`. Losing it costs reading the folders again. */
export class SourceMemory {
  readonly #path: string;
  readonly #log: Logger;
  readonly #before: Known;
  readonly #now: Known = new Map();

  constructor(dataDir: string, log: Logger) {
    this.#path = join(dataDir, ".reef", "sources.json");
    this.#log = log;
    this.#before = this.#read();
  }

  /** What the folder `dir` holds now; see `readSource`. Its files are read only if they may have changed. */
  read(dirName: string, dir: string): Source {
    const known = this.#before.get(dirName);
    let stamp = "";
    const source = readSource(dir, ({ text, fresh }) => {
      stamp = stampOf(text);
      return !fresh && known?.[0] === stamp ? known[1] : undefined;
    });
    // A further change within the same tick of the clock would not show.
    if (!source.fingerprint.fresh) this.#now.set(dirName, [stamp, source.digest]);
    return source;
  }

  /** Writes what was read down for the next start, without folders that are gone. Never throws. */
  save(): void {
    const stays = ([dirName, [stamp]]: [string, readonly [string, string]]) =>
      this.#before.get(dirName)?.[0] === stamp;
    if (this.#now.size === this.#before.size && [...this.#now].every(stays)) return;
    try {
      writeFileAtomic(this.#path, JSON.stringify([...this.#now]));
    } catch (error) {
      this.#log.warn(`cannot remember in ${this.#path} what the folders hold: ${messageOf(error)}`);
    }
  }

  #read(): Known {
    try {
      const known: unknown = JSON.parse(readFileSync(this.#path, "utf8"));
      if (isKnown(known)) return new Map(known);
      this.#log.warn(`${this.#path} is not what it should be; all folders are read again`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
        this.#log.warn(`${this.#path} is unreadable, all folders are read again: ${messageOf(error)}`);
      }
    }
    return new Map();
  }
}

function stampOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("base64");
}

function isKnown(value: unknown): value is [string, [string, string]][] {
  const isEntry = (entry: unknown) =>
    Array.isArray(entry) && typeof entry[0] === "string" && Array.isArray(entry[1]) && entry[1].length === 2;
  return Array.isArray(value) && value.every(isEntry);
}
