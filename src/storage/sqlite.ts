/** SQLite databases with migrations, damage recovery and grouped writes. */
import { Database } from "bun:sqlite";
import { existsSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { ensureFolder } from "../core/files.js";
import { GroupCommit } from "../core/group-commit.js";
import { toStorageError } from "../core/storage-error.js";
import type { OnReport } from "./report.js";
import { type SqliteCheck, setAsideIfDamaged } from "./sqlite-health.js";
import { assertKnownVersion, type Migration, migrate } from "./sqlite-migrations.js";
import { StorePath } from "./store-path.js";

/** Options of {@link openSqlite}. */
export interface SqliteOptions {
  /** The migrations that build the schema, oldest first. Append only; never change one that has been in use. */
  migrations?: readonly Migration[];
  /**
   * How an existing file is checked when the process first opens it: `"quick"` reads every page, `"header"`
   * only checks that it is a database. Default `"quick"`.
   */
  check?: SqliteCheck;
  /** Called when a damaged file was set aside. Default: `console.warn`. */
  onReport?: OnReport;
}

/** Files that this process has already checked; a service that is reloaded need not wait for it again. */
const examined = new Set<string>();

/**
 * Opens a SQLite database, creating it and its folder if missing, and applies the migrations. It uses a
 * write-ahead log, `synchronous=FULL` (committed transactions are on disk), enforced foreign keys and a busy
 * timeout of five seconds. A damaged file is first set aside and reported.
 *
 * @param path Where the file is: relative paths are inside the data folder.
 * @throws StorageError `STORAGE_VERSION` when the file is from a newer version of the code,
 *   `STORAGE_CORRUPT`, `STORAGE_FULL`, `STORAGE_BUSY`, `STORAGE_IO`; the error of a failing migration.
 *   The file is then as it was.
 * @example
 * const db = openSqlite("library.db", { migrations: ["CREATE TABLE book (id TEXT PRIMARY KEY, title TEXT)"] });
 * db.query("SELECT count(*) AS books FROM book").get();
 */
export function openSqlite(path: string, options: SqliteOptions = {}): Database {
  const file = new StorePath(path).path;
  const { migrations = [] } = options;
  let db: Database | undefined;
  let isNew = false;
  try {
    ensureFolder(dirname(file));
    const check = examined.has(identityOf(file)) ? "header" : (options.check ?? "quick");
    setAsideIfDamaged(file, check, options.onReport);
    isNew = !existsSync(file);
    db = new Database(file, { create: true, readwrite: true });
    db.run("PRAGMA busy_timeout = 5000");
    assertKnownVersion(db, migrations);
    db.run("PRAGMA journal_mode = WAL");
    db.run("PRAGMA synchronous = FULL");
    db.run("PRAGMA foreign_keys = ON");
    migrate(db, migrations);
    examined.add(identityOf(file));
    return db;
  } catch (error) {
    db?.close();
    // An empty file left behind would be taken for a database that has lost its content.
    if (isNew && isEmptyFile(file)) rmSync(file);
    throw toStorageError(error, file);
  }
}

function isEmptyFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.size === 0;
}

function identityOf(file: string): string {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.dev}:${stat.ino}:${stat.birthtimeNs}` : "";
}

/** Options of a {@link SqliteFile}. */
export interface SqliteFileOptions extends SqliteOptions {
  /** Where the file is: relative paths are inside the data folder. */
  path: string;
}

/**
 * A SQLite database as the store of a service: opened at first use as by {@link openSqlite}, with grouped
 * writes.
 *
 * @example
 * const library = new SqliteFile({
 *   path: "library.db",
 *   migrations: ["CREATE TABLE book (id TEXT PRIMARY KEY, title TEXT NOT NULL)"],
 * });
 * await library.write((db) => db.run("INSERT INTO book VALUES (?, ?)", ["b1", "Emma"]));
 * library.db.query("SELECT title FROM book WHERE id = ?").get("b1"); // { title: "Emma" }
 */
export class SqliteFile {
  readonly #storePath: StorePath;
  readonly #options: SqliteFileOptions;
  #opened: { db: Database; group: GroupCommit } | undefined;

  /** @throws StorageError `STORAGE_PATH`. */
  constructor(options: SqliteFileOptions) {
    this.#storePath = new StorePath(options.path, () => this.#end());
    this.#options = options;
  }

  /** The file's absolute path. */
  get path(): string {
    return this.#storePath.path;
  }

  /**
   * The open database, for queries. Statements that write outside `write()` are committed individually and at
   * once.
   *
   * @throws What {@link openSqlite} throws, and StorageError `STORAGE_CLOSED`.
   */
  get db(): Database {
    return this.#use().db;
  }

  /**
   * Runs `fn` in a transaction shared with the other writes of this tick. Resolves with its result once it is
   * on disk. If `fn` throws, only its own changes are rolled back, and the promise rejects with what it threw.
   *
   * Rejects with a `StorageError` when the storage fails: `STORAGE_FULL`, `STORAGE_BUSY`, `STORAGE_CORRUPT`,
   * `STORAGE_CLOSED`, `STORAGE_IO`.
   *
   * @param fn Synchronous; must not begin or end transactions.
   */
  async write<T>(fn: (db: Database) => T): Promise<T> {
    const { db, group } = this.#use();
    return group.write(() => fn(db));
  }

  /** Opens the database now, so that problems surface here rather than at first use. */
  open(): this {
    this.#use();
    return this;
  }

  /** Commits all queued writes before it returns. Failures reject the promises of their writes. */
  flush(): void {
    this.#opened?.group.flush();
  }

  /** Commits all queued writes and closes the database. Idempotent. */
  close(): void {
    this.#end();
    this.#storePath.close();
  }

  #end(): void {
    this.#opened?.group.close();
    this.#opened?.db.close();
    this.#opened = undefined;
  }

  #use(): { db: Database; group: GroupCommit } {
    const path = this.#storePath.use("use");
    if (!this.#opened) {
      const db = openSqlite(path, this.#options);
      this.#opened = { db, group: new GroupCommit(db) };
    }
    return this.#opened;
  }
}
