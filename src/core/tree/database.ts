import { Database } from "bun:sqlite";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import type { EventNode, JsonValue } from "./log.js";

const version = 1;

const schema = `
  CREATE TABLE nodes (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    parent TEXT,
    type TEXT NOT NULL,
    source TEXT NOT NULL,
    content TEXT NOT NULL,
    time INTEGER NOT NULL,
    extra TEXT
  );
  CREATE INDEX nodes_parent ON nodes (parent);
  CREATE INDEX nodes_type ON nodes (type);
  CREATE INDEX nodes_source ON nodes (source);
  CREATE VIRTUAL TABLE words USING fts5 (content, content='', contentless_delete=1);
  CREATE TABLE tallies (kind TEXT, name TEXT, n INTEGER NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
  CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  PRAGMA user_version = ${version};
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

export const columns = "n.seq, n.id, n.parent, n.type, n.source, n.content, n.time, n.extra";

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
    if (found === 0) db.transaction(() => db.run(schema)).immediate();
    db.query("SELECT seq FROM nodes ORDER BY seq DESC LIMIT 1").get();
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
 * Opens the database of an event tree, making it when it does not exist. A damaged file is renamed to
 * `<path>.damaged-<time>`, reported through `warn`, and a new one is begun beside it.
 */
export function openDatabase(path: string, warn: (message: string) => void): Database {
  if (path === ":memory:") return open(path);
  mkdirSync(dirname(path), { recursive: true });
  try {
    return open(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const aside = `${path}.damaged-${new Date().toISOString().replaceAll(":", "-")}`;
    for (const suffix of ["", "-wal", "-shm"]) {
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    }
    warn(`The event log ${path} is damaged (${error}). It was kept as ${aside}; a new one begins.`);
    return open(path);
  }
}
