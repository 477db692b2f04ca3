import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cleanUpTrees, event, file, fill, ids, tree } from "../../../tests/support/trees.js";
import { EventTree } from "../tree.js";

cleanUpTrees();

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
  const path = file();
  mkdirSync(dirname(path));
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
  const log = tree({ path });
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
});

describe("the file of a tree", () => {
  test("keeps everything across a restart", async () => {
    const path = file();
    const first = new EventTree({ path });
    const nodes = await fill(first, 10, { tag: "kept" });
    await first.close();
    const second = tree({ path });
    expect((await second.search()).events).toEqual(nodes.toReversed());
    expect(second.latest()).toBe(nodes[9]?.id ?? "");
  });

  test("when damaged is set aside and reported, not overwritten", async () => {
    const path = file();
    await new EventTree({ path }).close();
    writeFileSync(path, "this is not a database, ".repeat(500));
    const warnings: string[] = [];
    const log = tree({ path, warn: (message) => warnings.push(message) });
    await log.append(event("works"));
    const kept = readdirSync(join(path, "..")).find((name) => name.includes(".corrupt-")) ?? "";
    expect(await Bun.file(join(path, "..", kept)).text()).toStartWith("this is not a database");
    expect(warnings).toEqual([expect.stringContaining("damaged")]);
  });

  test("of a newer format is refused and left alone", () => {
    const path = file();
    tree({ path });
    const db = new Database(path);
    db.run("PRAGMA user_version = 99");
    db.close();
    expect(() => new EventTree({ path })).toThrow("newer version");
  });

  test("that cannot be opened is named", () => {
    const path = file();
    mkdirSync(path, { recursive: true });
    expect(() => new EventTree({ path })).toThrow(`cannot use ${path} (unable to open database file)`);
  });
});
