/** Copies of the code that was served, so that a rollback finds it however the folder was changed since. */
// The default import keeps each call visible to a spy.
import fs, { existsSync } from "node:fs";
import { join } from "node:path";
import type { GaveWay, NoteGaveWay } from "../changes/gave-way.js";
import { restoreCode } from "../changes/restore.js";
import { messageOf } from "../errors.js";
import { replaceFile, setAside } from "../files.js";
import { KeyedMutex } from "../keyed-mutex.js";
import { LoadFailure } from "../load-failure.js";
import type { Logger } from "../log.js";
import { copyCode, syncCode } from "./code-copy.js";
import { contentDigest } from "./digest.js";
import { listPath, readList, type Snapshot } from "./snapshot-list.js";

/** Versions kept for each folder. */
const KEPT = 5;

/** Keeps the latest served versions of each service folder below `<data>/.reef/snapshots`. */
export class Snapshots {
  readonly #root: string;
  readonly #log: Logger;
  /** By folder: two copies at once would write the same files. */
  readonly #mutex = new KeyedMutex();

  constructor(dataDir: string, log: Logger) {
    this.#root = join(dataDir, ".reef", "snapshots");
    this.#log = log;
  }

  #folder(dirName: string): string {
    return join(this.#root, dirName);
  }

  #path(dirName: string, digest: string): string {
    return join(this.#folder(dirName), digest);
  }

  /** The folder that holds a kept version's code; undefined when it is not kept. */
  find(dirName: string, digest: string): string | undefined {
    const path = this.#path(dirName, digest);
    return existsSync(path) ? path : undefined;
  }

  /** Whether a kept version is what it was; a damaged copy is set aside and reported, so that it is not kept any more. */
  isIntact(dirName: string, digest: string): boolean {
    const path = this.#path(dirName, digest);
    if (contentDigest(path) === digest) return true;
    this.#log.warn(`the kept copy ${path} is damaged: moved to ${setAside(path)}`);
    return false;
  }

  /** The kept versions of a folder, latest first. */
  list(dirName: string): Snapshot[] {
    try {
      return this.#read(dirName);
    } catch (error) {
      this.#log.warn(`snapshots of ${dirName} cannot be listed: ${messageOf(error)}`);
      return [];
    }
  }

  #read(dirName: string): Snapshot[] {
    return readList(this.#folder(dirName), (message) => this.#log.warn(message));
  }

  /**
   * Keeps a copy of a folder's code that was just put into service. A folder that has changed since is not
   * copied: what is kept is what was served. Never rejects.
   */
  async keep(dirName: string, dir: string, digest: string): Promise<void> {
    try {
      await this.#mutex.runExclusive(dirName, async () => {
        const known = this.#read(dirName);
        if (known[0]?.digest === digest && known[0].served) return;
        await this.#keep(dirName, dir, digest, known, { served: true });
      });
    } catch (error) {
      this.#log.warn(
        `could not keep a copy of ${dirName}; rolling back to it is not possible: ${messageOf(error)}`,
      );
    }
  }

  async #keep(
    dirName: string,
    dir: string,
    digest: string,
    known: readonly Snapshot[],
    how: { served: boolean; spare?: string },
  ): Promise<boolean> {
    const path = this.#path(dirName, digest);
    const isKept = existsSync(path) && this.isIntact(dirName, digest);
    if (!isKept && !(await copyCode(dir, path, digest))) return false;
    const before = known.find((snapshot) => snapshot.digest === digest);
    const others = known.filter((snapshot) => snapshot !== before);
    const entry = {
      digest,
      keptAt: new Date().toISOString(),
      served: how.served || (before?.served ?? false),
    };
    const all = [entry, ...others];
    const stays = (snapshot: Snapshot, index: number) => index < KEPT || snapshot.digest === how.spare;
    await replaceFile(listPath(this.#folder(dirName)), JSON.stringify(all.filter(stays), null, 2));
    for (const old of all.filter((snapshot, index) => !stays(snapshot, index)))
      await fs.promises.rm(this.#path(dirName, old.digest), { recursive: true, force: true });
    return true;
  }

  /**
   * Keeps what a folder holds now, although it may never have served, and the version `spare` however old it is.
   * Resolves with its digest, once the copy is on disk; rejects when it cannot.
   */
  async setAside(dirName: string, dir: string, spare: string): Promise<string> {
    const digest = contentDigest(dir);
    const keeping = () => this.#keep(dirName, dir, digest, this.#read(dirName), { served: false, spare });
    if (!(await this.#mutex.runExclusive(dirName, keeping))) {
      const message = `the files of "${dirName}" changed while they were being copied.`;
      throw new LoadFailure("CHANGED", "find", message);
    }
    await syncCode(this.#path(dirName, digest));
    return digest;
  }

  /** Makes a folder's code what it was in a kept version; see `restoreCode`. */
  restore(dirName: string, dir: string, digest: string, note?: NoteGaveWay): GaveWay[] {
    return restoreCode(this.#path(dirName, digest), dir, note);
  }

  /** Says where folders are now that gave way for good. */
  tell(dirName: string, gaveWay: readonly GaveWay[]): void {
    for (const { aside } of gaveWay) {
      if (aside === undefined) continue;
      this.#log.warn(
        `a file replaced a folder in ${dirName}; the folder's other files were moved to ${aside}`,
      );
    }
  }
}
