/** Schema migrations, counted in `user_version`. */
import type { Database } from "bun:sqlite";
import { StorageError } from "../core/storage-error.js";

/** One migration: SQL, or a synchronous function that changes the database. */
export type Migration = string | ((db: Database) => void);

/**
 * Applies all missing migrations in one transaction; on failure the database is unchanged. `user_version`
 * counts the migrations that have been applied.
 *
 * Foreign keys are not enforced while migrations run, so that tables can be rebuilt; they are checked before
 * the commit.
 *
 * @throws StorageError `STORAGE_VERSION` when the database has had more migrations than are given.
 * @throws StorageError `STORAGE_VERSION` when the database has had more migrations than there are.
 */
export function migrate(db: Database, migrations: readonly Migration[]): void {
  if (assertKnownVersion(db, migrations) === migrations.length) return;
  db.run("PRAGMA foreign_keys = OFF");
  db.run("BEGIN IMMEDIATE");
  try {
    for (let done = assertKnownVersion(db, migrations); done < migrations.length; done++) {
      named(done + 1, () => apply(db, migrations[done] as Migration));
    }
    const [orphan] = db.query("PRAGMA foreign_key_check").all() as { table: string; parent: string }[];
    if (orphan) throw new Error(`a row of ${orphan.table} refers to a missing row of ${orphan.parent}`);
    db.run(`PRAGMA user_version = ${migrations.length}`);
    db.run("COMMIT");
  } catch (error) {
    if (db.inTransaction) db.run("ROLLBACK");
    throw error;
  } finally {
    db.run("PRAGMA foreign_keys = ON");
  }
}

function apply(db: Database, step: Migration): void {
  if (typeof step === "string") db.run(step);
  else if ((step(db) as unknown) instanceof Promise) throw new TypeError("a migration must be synchronous");
}

/** Adds to an error's message which migration failed; the error object stays the same. */
function named(number: number, step: () => void): void {
  try {
    step();
  } catch (error) {
    if (error instanceof Error) error.message = `migration ${number}: ${error.message}`;
    throw error;
  }
}

/**
 * The number of migrations that a database has had.
 *
 * @throws StorageError `STORAGE_VERSION` when that is more than there are.
 */
export function assertKnownVersion(db: Database, migrations: readonly Migration[]): number {
  const { user_version: version } = db.query("PRAGMA user_version").get() as { user_version: number };
  if (version <= migrations.length) return version;
  const message = `${db.filename} has schema version ${version}, but this code knows only ${migrations.length}: it was written by a newer version`;
  throw new StorageError("STORAGE_VERSION", message, { path: db.filename });
}
