/** Syncs the write-ahead log of the event database. */
// The default import keeps each call visible to a spy.
import fs from "node:fs";
import { dirname } from "node:path";
import { syncFolder } from "../files.js";
import { StorageError, toStorageError } from "../storage-error.js";

/**
 * Syncs committed transactions without blocking the event loop: a sync may take long, and no other work should
 * wait for it. The database is in WAL mode with `synchronous=NORMAL`, in which commits are appended to the log
 * without a sync; SQLite still syncs around checkpoints.
 */
export class WalSync {
  readonly #path: string;
  #fd: number | undefined;

  /** @param path The path of the database; its log must exist. */
  constructor(path: string) {
    this.#path = `${path}-wal`;
    this.#fd = fs.openSync(this.#path, "r");
    syncFolder(dirname(path));
  }

  /** Resolves when everything committed before the call is on disk. Rejects with a `StorageError`. */
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
