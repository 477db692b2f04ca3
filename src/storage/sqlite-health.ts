/** Detects damaged SQLite files and sets them aside. */
import { Database, SQLiteError } from "bun:sqlite";
import { statSync } from "node:fs";
import { setAside } from "../core/files.js";
import { assertRegularFile } from "../core/regular-file.js";
import { type OnReport, sendReport } from "./report.js";

/**
 * How a file is checked: `header` only sees that it is a database, `quick` also reads every page (`PRAGMA quick_check`), which
 * takes time in proportion to its size.
 */
export type SqliteCheck = "quick" | "header";

const COMPANIONS = ["-wal", "-shm", "-journal"];

/**
 * Sets a damaged database and its write-ahead log aside, so that a new one can be created in its place. Files
 * that are sound, missing or locked by another process are left alone.
 */
export function setAsideIfDamaged(path: string, check: SqliteCheck, onReport?: OnReport): void {
  const damage = findDamage(path, check);
  if (damage === undefined) return;
  const copy = setAside(path, COMPANIONS);
  const message = `${path} ${damage}: moved to ${copy}; started a new database`;
  sendReport({ kind: "corrupt", path, message, setAside: copy }, onReport);
}

function findDamage(path: string, check: SqliteCheck): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat) assertRegularFile(stat);
  const size = stat?.size;
  if (size === undefined || size === 0) {
    const state = size === 0 ? "empty (0 bytes)" : "missing";
    // SQLite deletes a log that has no database, and with it the last changes.
    const log = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (log > 0) return `is ${state}, but its write-ahead log is not`;
    return size === 0 ? `is ${state}` : undefined;
  }
  const db = new Database(path, { readwrite: true, create: false });
  try {
    db.run("PRAGMA busy_timeout = 5000");
    db.query("PRAGMA schema_version").get();
    return check === "quick" ? quickCheck(db) : undefined;
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
