/** One server for each data folder: two would overwrite what the other has acknowledged. */
import { Database } from "bun:sqlite";
// The default import keeps each call visible to a spy.
import fs from "node:fs";
import { join } from "node:path";
import { ensureFolder } from "./files.js";
import { dataDirError } from "./start-errors.js";
import { systemErrorCode } from "./storage-error.js";

/**
 * Makes sure that there is a data folder, and that it can be written to.
 *
 * @throws ConfigError
 */
export function prepareDataDir(dataDir: string): void {
  const { R_OK, W_OK, X_OK } = fs.constants;
  try {
    for (const folder of [dataDir, join(dataDir, ".reef")]) {
      ensureFolder(folder);
      fs.accessSync(folder, R_OK | W_OK | X_OK);
    }
  } catch (error) {
    throw dataDirError(error, dataDir);
  }
}

/** How long another server is waited for that may be about to let go, in milliseconds. */
const PATIENCE_MS = 500;

/** A database that nothing refers to is closed by the garbage collector, and its lock is gone. */
const held = new Set<Database>();

/**
 * Holds a data folder for this process; returns the function that lets go of it. The lock is the operating system's,
 * so it ends with the process however that ends. Throws when another server holds it.
 */
export function holdDataDir(dataDir: string): () => void {
  prepareDataDir(dataDir);
  let lock: Database | undefined;
  try {
    lock = new Database(join(dataDir, ".reef", "lock.sqlite"));
    // Who asks at the same moment is in the way for an instant. Not with `locking_mode = EXCLUSIVE`, in which both would
    // keep what they have while they wait, so that neither got it.
    lock.exec(`PRAGMA busy_timeout = ${PATIENCE_MS}; BEGIN EXCLUSIVE`);
  } catch (error) {
    lock?.close();
    if (!systemErrorCode(error).startsWith("SQLITE_BUSY")) throw dataDirError(error, dataDir);
    throw new Error(
      `another server uses the data folder ${dataDir}; give this one its own with REEF_DATA_DIR`,
    );
  }
  held.add(lock);
  return () => {
    held.delete(lock);
    lock.close();
  };
}
