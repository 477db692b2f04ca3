import { Database, SQLiteError } from "bun:sqlite";
import { statSync } from "node:fs";
import { setAside } from "../core/files.js";
import { assertRegularFile } from "../core/regular-file.js";
import { type OnReport, sendReport } from "./report.js";

const COMPANIONS = ["-wal", "-shm", "-journal"];

/**
 * Sets a damaged database aside, with its write-ahead log, so that a new one
 * can be made at its place. A file that is sound, or is not there, is left
 * alone; so is one that another process holds, which its later use will show.
 *
 * @param thorough Also read every page (`PRAGMA quick_check`), which takes time in proportion to its size.
 */
export function setAsideIfDamaged(path: string, thorough: boolean, onReport?: OnReport): void {
  const damage = findDamage(path, thorough);
  if (damage === undefined) return;
  const copy = setAside(path, COMPANIONS);
  const message = `${path} ${damage}: moved to ${copy}; started a new database`;
  sendReport({ kind: "corrupt", path, message, setAside: copy }, onReport);
}

function findDamage(path: string, thorough: boolean): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat) assertRegularFile(stat);
  const size = stat?.size;
  if (size === undefined || size === 0) {
    const state = size === 0 ? "empty (0 bytes)" : "missing";
    // SQLite would delete a log without its database, and with it the last changes.
    const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (log > 0) return `is ${state}, but its write-ahead log is not`;
    return size === 0 ? `is ${state}` : undefined;
  }
  const db = new Database(path, { readwrite: true, create: false });
  try {
    db.run("PRAGMA busy_timeout = 5000");
    db.query("PRAGMA schema_version").get();
    if (thorough) return quickCheck(db);
    return undefined;
  } catch (error) {
    if (error instanceof SQLiteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code ?? "")) {
      return `is damaged (${error.message})`;
    }
    throw error;
  } finally {
    db.close();
  }
}

function quickCheck(db: Database): string | undefined {
  const [first] = db.query("PRAGMA quick_check(1)").values() as string[][];
  return first?.[0] === "ok" ? undefined : `is damaged (${first?.[0]})`;
}
