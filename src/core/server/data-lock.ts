/** Locks a data folder: two servers would overwrite each other's acknowledged data. */
import { Database } from "bun:sqlite";
// The default import keeps each call visible to a spy.
import fs from "node:fs";
import { join } from "node:path";
import { ensureFolder } from "../files.js";
import { systemErrorCode } from "../storage-error.js";
import { dataDirError, lockFileError } from "./start-errors.js";

/**
 * Creates the data folder if it is missing and checks that it is writable.
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

/** How long to wait for a server that may be about to release the lock, in milliseconds. */
const BUSY_TIMEOUT_MS = 500;

/** Locks that are held. An unreferenced database is closed by the garbage collector, which releases its lock. */
const held = new Set<Database>();

/**
 * Locks a data folder for this process. Returns the function that releases the lock, which belongs to the
 * operating system and ends with the process in any case. Throws when another server holds it.
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
      return openLocked(path);
    } catch (error) {
      if (!isDamaged(error) || !truncateLock(path)) throw error;
      return openLocked(path);
    }
  } catch (error) {
    if (!systemErrorCode(error).startsWith("SQLITE_BUSY")) throw lockFileError(error, dataDir, path);
    throw new Error(
      `another server uses the data folder ${dataDir}; set REEF_DATA_DIR to another folder for this server`,
    );
  }
}

function openLocked(path: string): Database {
  const lock = new Database(path);
  try {
    // Another process may be trying at the same moment. Not `locking_mode = EXCLUSIVE`, with which both would
    // keep their shared locks while they wait, so that neither succeeds.
    lock.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; BEGIN EXCLUSIVE`);
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

const isDamaged = (error: unknown) => /^SQLITE_(NOTADB|CORRUPT)/.test(systemErrorCode(error));

/**
 * Truncates a damaged lock file to its normal state of 0 bytes; returns whether it did. Truncated in place,
 * because the lock is on the file: a process that holds it now keeps it, while a renamed file would take the
 * lock along.
 */
function truncateLock(path: string): boolean {
  // The target of a link may not be a lock file.
  if (!fs.lstatSync(path).isFile()) return false;
  fs.truncateSync(path);
  return true;
}
