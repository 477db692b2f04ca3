import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type EventNode, EventTree } from "../tree.js";

const ids = (events: readonly EventNode[]) => events.map(({ id }) => id);

/** What the first version of the file looked like. */
const format1 = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE nodes (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, parent TEXT, type TEXT NOT NULL,
    source TEXT NOT NULL, content TEXT NOT NULL, time INTEGER NOT NULL, extra TEXT);
  CREATE INDEX nodes_parent ON nodes (parent);
  CREATE TABLE by_type (type TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (type, seq)) WITHOUT ROWID;
  CREATE TABLE by_source (source TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (source, seq)) WITHOUT ROWID;
  CREATE VIRTUAL TABLE words USING fts5 (content, content='', contentless_delete=1);
  CREATE TABLE tallies (kind TEXT, name TEXT, n INTEGER NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
  CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  INSERT INTO marks VALUES ('indexed', '120'), ('pruned', '00000000-0000-7000-8000-000000000000');
  INSERT INTO tallies VALUES ('all', '', 20), ('type', 'even', 10), ('type', 'odd', 10), ('source', 'test', 20);
  PRAGMA user_version = 1;
`;

test("a file of the first format is taken over, with ids that carry no row number", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "reef-tree-")), "events.sqlite");
  const db = new Database(path, { create: true });
  db.run(format1);
  const insert = db.query<null, [number, string, string | null, string, string]>(
    "INSERT INTO nodes VALUES (?, ?, ?, ?, 'test', ?, 0, NULL)",
  );
  const old = Array.from({ length: 50 }, () => Bun.randomUUIDv7());
  for (const [i, id] of old.entries()) {
    insert.run(101 + i, id, i === 7 ? (old[3] ?? null) : null, i % 2 ? "odd" : "even", `number ${i}`);
  }
  db.close();
  const log = new EventTree({ path });
  const next = await log.append({ type: "note", source: "test", content: "new", parentId: old[3] });
  expect(next.id > (old.at(-1) ?? "")).toBe(true);
  for (const [i, id] of old.entries()) expect((await log.get(id))?.content).toBe(`number ${i}`);
  expect(ids((await log.children(old[3] ?? "")).events)).toEqual([old[7] ?? "", next.id]);
  expect(ids((await log.after(old[47] ?? "")) ?? [])).toEqual([...old.slice(48), next.id]);
  expect(ids((await log.search({ text: "number 31" })).events)).toEqual([old[31] ?? ""]);
  expect((await log.roots({ limit: 100 })).events).toHaveLength(49);
  expect(await log.stats()).toMatchObject({
    count: 51,
    pruned: "00000000-0000-7000-8000-000000000000",
    byType: { even: 25, odd: 25, note: 1 },
  });
  expect(await log.locate(old[20] ?? "")).toEqual({ position: old[20] ?? "" });
  expect(await log.locate("ffffffff-ffff-7fff-bfff-ffffffffffff")).toEqual({ reset: "unknown" });
  await log.close();
  rmSync(dirname(path), { recursive: true });
});
