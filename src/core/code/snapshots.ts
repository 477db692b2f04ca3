/** Copies of code that served, so that a rollback is possible whatever happens to the folder. */
// The default import keeps each call visible to a spy.
import fs, { existsSync } from "node:fs";
import { join } from "node:path";
import type { Displaced, OnDisplace } from "../changes/displaced.js";
import { restoreCode } from "../changes/restore.js";
import { messageOf } from "../errors.js";
import { replaceFile, setAside } from "../files.js";
import { KeyedMutex } from "../keyed-mutex.js";
import { LoadFailure } from "../load-failure.js";
import type { Logger } from "../log.js";
import { copyCode, syncCode } from "./code-copy.js";
import { contentDigest } from "./digest.js";
import { listPath, readList, type Snapshot } from "./snapshot-list.js";

/** The number of versions kept per folder. */
const MAX_KEPT = 5;

/** Keeps the latest versions of each service folder below `<data>/.reef/snapshots`. */
export class Snapshots {
  readonly #root: string;
  readonly #log: Logger;
  /** Per folder, since concurrent copies would write the same files. */
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

  /** The path of a kept version; undefined when it is not kept. */
  find(dirName: string, digest: string): string | undefined {
    const path = this.#path(dirName, digest);
    return existsSync(path) ? path : undefined;
  }

  /**
   * Whether a kept version matches its digest. A damaged copy is set aside and logged, so that it is no longer
   * kept.
   */
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
   * Keeps a copy of code that has just been put into service. If the folder has changed since, nothing is kept.
   * Never rejects.
   */
  async keep(dirName: string, dir: string, digest: string): Promise<void> {
    try {
      await this.#mutex.runExclusive(dirName, async () => {
        const listed = this.#read(dirName);
        if (listed[0]?.digest === digest && listed[0].served) return;
        await this.#keep(dirName, dir, digest, listed, { served: true });
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
    listed: readonly Snapshot[],
    how: { served: boolean; spare?: string },
  ): Promise<boolean> {
    const path = this.#path(dirName, digest);
    const isKept = existsSync(path) && this.isIntact(dirName, digest);
    if (!isKept && !(await copyCode(dir, path, digest))) return false;
    const before = listed.find((snapshot) => snapshot.digest === digest);
    const others = listed.filter((snapshot) => snapshot !== before);
    const entry = {
      digest,
      keptAt: new Date().toISOString(),
      served: how.served || (before?.served ?? false),
    };
    const all = [entry, ...others];
    const stays = (snapshot: Snapshot, index: number) => index < MAX_KEPT || snapshot.digest === how.spare;
    await replaceFile(listPath(this.#folder(dirName)), JSON.stringify(all.filter(stays), null, 2));
    for (const old of all.filter((snapshot, index) => !stays(snapshot, index)))
      await fs.promises.rm(this.#path(dirName, old.digest), { recursive: true, force: true });
    return true;
  }

  /**
   * Keeps a folder's current code, which may never have served, and protects the version `spare` from eviction.
   * Resolves with its digest once the copy is on disk.
   *
   * @throws LoadFailure `CHANGED`; StorageError.
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

  /** Restores a folder's code from a kept version; see `restoreCode`. */
  restore(dirName: string, dir: string, digest: string, note?: OnDisplace): Displaced[] {
    return restoreCode(this.#path(dirName, digest), dir, note);
  }

  /** Logs where displaced folders are now. */
  reportDisplaced(dirName: string, displaced: readonly Displaced[]): void {
    for (const { aside } of displaced) {
      if (aside === undefined) continue;
      this.#log.warn(
        `a file replaced a folder in ${dirName}; the folder's other files were moved to ${aside}`,
      );
    }
  }
}
