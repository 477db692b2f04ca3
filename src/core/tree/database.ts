/** The SQLite database of the event log: its schema and format. */
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { setAside } from "../files.js";
import { toStorageError } from "../storage-error.js";
import type { EventNode, JsonValue } from "./log.js";
import { tokenizer } from "./words.js";

const version = 2;

// The cost of an event before it is acknowledged is the pages it touches, so `nodes` and its indexes only grow
// at their end. The other tables are filled later, in larger portions, by the indexer.
const schema = `
  CREATE TABLE nodes (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    parent TEXT,
    type TEXT NOT NULL,
    source TEXT NOT NULL,
    content TEXT NOT NULL,
    time INTEGER NOT NULL,
    extra TEXT
  );
  CREATE INDEX nodes_parent ON nodes (parent) WHERE parent IS NOT NULL;
  CREATE TABLE roots (seq INTEGER PRIMARY KEY);
  CREATE TABLE by_type (type TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (type, seq)) WITHOUT ROWID;
  CREATE TABLE by_source (source TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (source, seq)) WITHOUT ROWID;
  CREATE VIRTUAL TABLE words USING fts5 (content, content='', contentless_delete=1, detail=none, ${tokenizer});
  CREATE TABLE tallies (kind TEXT, name TEXT, n INTEGER NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
  CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${version};
`;

// Format 1 had an index of ids and kept roots in the index of parents. The indexer refills the other tables.
const fromFormat1 = `
  DROP INDEX nodes_parent;
  DROP TABLE by_type;
  DROP TABLE by_source;
  DROP TABLE words;
  DROP TABLE tallies;
  ALTER TABLE nodes RENAME TO nodes_1;
  ALTER TABLE marks RENAME TO marks_1;
  ${schema}
  INSERT INTO nodes SELECT seq, id, parent, type, source, content, time, extra FROM nodes_1;
  INSERT INTO marks SELECT name, value FROM marks_1;
  UPDATE marks SET value = (SELECT min(seq) - 1 FROM nodes)
    WHERE name = 'indexed' AND EXISTS (SELECT 1 FROM nodes);
  DROP TABLE nodes_1;
  DROP TABLE marks_1;
`;

/** A row of the `nodes` table. */
export interface Row {
  seq: number;
  id: string;
  parent: string | null;
  type: string;
  source: string;
  content: string;
  time: number;
  extra: string | null;
}

/** The extent of the log; updated by all code that changes the database. */
export interface Extent {
  /** The newest id of a stored event; an empty string before the first. */
  last: string;
  /** Its row number. */
  seq: number;
  /** The newest id that retention has removed; an empty string before the first. */
  pruned: string;
  /** The row number up to which `by_type`, `by_source`, `roots`, `words` and `tallies` are complete. */
  indexed: number;
  /** The number of stored events. */
  count: number;
}

/** The columns of a {@link Row}, with the table alias `n`. */
export const columns = "n.seq, n.id, n.parent, n.type, n.source, n.content, n.time, n.extra";

/** Converts a row into an event. */
export function toNode(row: Row): EventNode {
  const extra: Record<string, JsonValue> = row.extra === null ? {} : JSON.parse(row.extra);
  const { id, parent, type, source, content } = row;
  return { id, parentId: parent, type, source, content, time: new Date(row.time).toISOString(), extra };
}

function open(path: string): Database {
  const db = new Database(path, { create: true, strict: true });
  try {
    db.run("PRAGMA busy_timeout = 2000");
    db.run("PRAGMA journal_mode = WAL");
    db.run("PRAGMA synchronous = FULL");
    db.run("PRAGMA cache_size = -16000");
    const found = db.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
    if (found > version) throw new Error(`${path} was written by a newer version of Reef (format ${found}).`);
    if (found < version) db.transaction(() => db.run(found === 0 ? schema : fromFormat1)).immediate();
    db.query("SELECT seq FROM nodes ORDER BY seq DESC LIMIT 1").get();
    // From here on, `WalSync` syncs commits.
    db.run("PRAGMA synchronous = NORMAL");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^SQLITE_(NOTADB|CORRUPT)/.test(String(error.code));
}

/**
 * Opens or creates the database of an event log. A damaged file is renamed to `<path>.corrupt-<time>`, reported
 * through `warn`, and replaced by a new one.
 *
 * @throws StorageError that names the file: `STORAGE_CORRUPT` when a damaged one cannot be renamed.
 */
export function openDatabase(path: string, warn: (message: string) => void): Database {
  if (path === ":memory:") return open(path);
  mkdirSync(dirname(path), { recursive: true });
  try {
    return open(path);
  } catch (error) {
    if (!isDamage(error)) throw toStorageError(error, path);
    const aside = setAside(path, ["-wal", "-shm"]);
    warn(`The event log ${path} is damaged (${error}). It was moved to ${aside}; a new one was started.`);
    return open(path);
  }
}

function mark(db: Database, name: string): string {
  return (
    db.query<{ value: string }, [string]>("SELECT value FROM marks WHERE name = ?").get(name)?.value ?? ""
  );
}

/** Writes a mark, within the transaction that makes it true. */
export function setMark(db: Database, name: "pruned" | "indexed", value: string): void {
  const sql =
    "INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
  db.query<null, [string, string]>(sql).run(name, value);
}

/** Determines the extent of the log. */
export function readExtent(db: Database): Extent {
  const one = <T>(sql: string, ...values: number[]) => db.query<T, number[]>(sql).get(...values);
  const newest = one<{ id: string; seq: number }>("SELECT id, seq FROM nodes ORDER BY seq DESC LIMIT 1");
  const pruned = mark(db, "pruned");
  const indexed = Number(mark(db, "indexed") || 0);
  const settled = one<{ n: number }>("SELECT n FROM tallies WHERE kind = 'all'")?.n ?? 0;
  const rest = one<{ n: number }>("SELECT count(*) AS n FROM nodes WHERE seq > ?", indexed)?.n ?? 0;
  const last = newest?.id ?? pruned;
  return { last, seq: newest?.seq ?? indexed, pruned, indexed, count: settled + rest };
}
