/** One server for each data folder: two would overwrite what the other has acknowledged. */
import { Database } from "bun:sqlite";
// The default import keeps each call visible to a spy.
import fs from "node:fs";
import { join } from "node:path";
import { ensureFolder } from "../files.js";
import { systemErrorCode } from "../storage-error.js";
import { dataDirError, lockFileError } from "./start-errors.js";

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
  const lock = lockOf(dataDir, join(dataDir, ".reef", "lock.sqlite"));
  held.add(lock);
  return () => {
    held.delete(lock);
    lock.close();
  };
}

function lockOf(dataDir: string, path: string): Database {
  try {
    try {
      return locked(path);
    } catch (error) {
      if (!isDamaged(error) || !emptied(path)) throw error;
      return locked(path);
    }
  } catch (error) {
    if (!systemErrorCode(error).startsWith("SQLITE_BUSY")) throw lockFileError(error, dataDir, path);
    throw new Error(
      `another server uses the data folder ${dataDir}; set REEF_DATA_DIR to another folder for this server`,
    );
  }
}

function locked(path: string): Database {
  const lock = new Database(path);
  try {
    // Who asks at the same moment is in the way for an instant. Not with `locking_mode = EXCLUSIVE`, in which both would
    // keep what they have while they wait, so that neither got it.
    lock.exec(`PRAGMA busy_timeout = ${PATIENCE_MS}; BEGIN EXCLUSIVE`);
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

const isDamaged = (error: unknown) => /^SQLITE_(NOTADB|CORRUPT)/.test(systemErrorCode(error));

/**
 * Makes a damaged lock file what it is anyway, a file of 0 bytes, and says whether it did. In its place rather than
 * anew: the lock is on the file, whatever is in it, so that one who holds it by now keeps it, while a file that is moved
 * away takes the lock along.
 */
function emptied(path: string): boolean {
  // What a link leads to is not known to be a lock.
  if (!fs.lstatSync(path).isFile()) return false;
  fs.truncateSync(path);
  return true;
}
