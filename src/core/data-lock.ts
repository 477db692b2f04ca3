/** One server for each data folder: two would overwrite what the other has acknowledged. */
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemErrorCode } from "./storage-error.js";

/**
 * Holds a data folder for this process; returns the function that lets go of it. The lock is the operating system's,
 * so it ends with the process however that ends. Throws when another server holds it.
 */
export function holdDataDir(dataDir: string): () => void {
  mkdirSync(join(dataDir, ".reef"), { recursive: true });
  const lock = new Database(join(dataDir, ".reef", "lock.sqlite"));
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (!systemErrorCode(error).startsWith("SQLITE_BUSY")) throw error;
    throw new Error(
      `another server uses the data folder ${dataDir}; give this one its own with REEF_DATA_DIR`,
    );
  }
  return () => lock.close();
}
