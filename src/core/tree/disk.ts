// The default import keeps each call visible to a spy.
import fs from "node:fs";
import { dirname } from "node:path";
import { syncFolder } from "../files.js";
import { StorageError, toStorageError } from "../storage-error.js";

/**
 * Brings what a database has committed to the disk, beside the event loop: a sync takes as long as the disk likes,
 * and nobody else should wait for it. The database is in WAL mode with `synchronous=NORMAL`, in which a commit ends
 * up in the log but is not synced; SQLite itself still syncs before and after it moves the log into the file.
 */
export class WalSync {
  readonly #path: string;
  #fd: number | undefined;

  /** `path` is the database's; its log must exist. */
  constructor(path: string) {
    this.#path = `${path}-wal`;
    this.#fd = fs.openSync(this.#path, "r");
    syncFolder(dirname(path));
  }

  /** Resolves when everything that was committed before the call is on disk; rejects with a `StorageError`. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#fd === undefined) throw new StorageError("STORAGE_CLOSED", `${this.#path} is closed`);
      fs.fdatasync(this.#fd, (error) => (error ? reject(toStorageError(error, this.#path)) : resolve()));
    });
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd);
    this.#fd = undefined;
  }
}
