import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GroupCommit } from "./group-commit.js";

let folder: string;
let db: Database;
let group: GroupCommit;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reef-group-"));
  db = new Database(join(folder, "test.db"));
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA synchronous = FULL");
  db.run("CREATE TABLE item (id TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID");
  group = new GroupCommit(db);
});

afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

const insert = (id: string) => group.write(() => db.run("INSERT INTO item (id) VALUES (?)", [id]));

/** What a second connection sees: only what is committed. */
function committed(): string[] {
  const reader = new Database(db.filename, { readonly: true });
  try {
    return (reader.query("SELECT id FROM item ORDER BY id").all() as { id: string }[]).map((row) => row.id);
  } finally {
    reader.close();
  }
}

describe("grouped writes", () => {
  test("are committed by the time their promise resolves, and not before", async () => {
    const write = insert("a");
    expect(committed()).toEqual([]);
    await write;
    expect(committed()).toEqual(["a"]);
  });

  test("resolve with what their callback returned", async () => {
    expect(await group.write(() => 42)).toBe(42);
  });

  test("that arrive together share one transaction and keep their order", async () => {
    const statements: string[] = [];
    const run = db.run.bind(db);
    db.run = ((sql: string, ...rest: []) => {
      statements.push(sql);
      return run(sql, ...rest);
    }) as typeof db.run;
    const order: number[] = [];
    await Promise.all([1, 2, 3].map((n) => group.write(() => order.push(n))));
    expect(statements.filter((sql) => /^(BEGIN|COMMIT)/.test(sql))).toEqual(["BEGIN IMMEDIATE", "COMMIT"]);
    expect(order).toEqual([1, 2, 3]);
  });

  test("that throw undo only themselves and reject with their own error", async () => {
    const refusal = new Error("not today");
    const results = await Promise.allSettled([
      insert("a"),
      group.write(() => {
        db.run("INSERT INTO item (id) VALUES ('half')");
        throw refusal;
      }),
      insert("a"),
      insert("b"),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect((results[1] as PromiseRejectedResult).reason).toBe(refusal);
    expect((results[2] as PromiseRejectedResult).reason.code).toBe("SQLITE_CONSTRAINT_PRIMARYKEY");
    expect(committed()).toEqual(["a", "b"]);
  });

  test("whose callback is asynchronous are refused and undone", async () => {
    const write = group.write(async () => {
      db.run("INSERT INTO item (id) VALUES ('early')");
      await Promise.resolve();
      throw new Error("too late to matter");
    });
    await expect(write).rejects.toThrow("must be synchronous");
    expect(committed()).toEqual([]);
  });

  test("queued by another write's callback are committed too", async () => {
    let inner: Promise<unknown> | undefined;
    await group.write(() => {
      inner = insert("inner");
    });
    await inner;
    expect(committed()).toEqual(["inner"]);
  });
});

describe("a lost transaction", () => {
  test("for want of space rejects with STORAGE_FULL what went with it, and later writes work", async () => {
    await insert("before");
    db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    const { page_count: pages } = db.query("PRAGMA page_count").get() as { page_count: number };
    db.run(`PRAGMA max_page_count = ${pages + 2}`);
    const results = await Promise.allSettled([
      group.write(() => db.run("INSERT INTO item VALUES ('big', zeroblob(100000))")),
      insert("small"),
    ]);
    expect(results[0]).toMatchObject({ status: "rejected", reason: { code: "STORAGE_FULL" } });
    for (const [index, id] of ["big", "small"].entries()) {
      expect(committed().includes(id)).toBe(results[index]?.status === "fulfilled");
    }
    db.run("PRAGMA max_page_count = 1000000");
    await insert("after");
    expect(committed()).toContain("before");
    expect(committed()).toContain("after");
  });

  test("rejects the writes before the cause and still runs those after it", async () => {
    const results = await Promise.allSettled([
      insert("a"),
      group.write(() => {
        db.run("ROLLBACK");
        throw new Error("pulled the rug");
      }),
      insert("c"),
    ]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "rejected", "fulfilled"]);
    expect(committed()).toEqual(["c"]);
  });

  test("because another connection holds the database rejects all with STORAGE_BUSY", async () => {
    const other = new Database(db.filename);
    other.run("BEGIN IMMEDIATE");
    const results = await Promise.allSettled([insert("a"), insert("b")]);
    other.run("ROLLBACK");
    other.close();
    for (const result of results) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "STORAGE_BUSY" } });
    }
    await insert("a");
    expect(committed()).toEqual(["a"]);
  });

  test("leaves no promise open when the database is closed under it", async () => {
    const results = await Promise.allSettled([insert("a"), group.write(() => db.close()), insert("b")]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "rejected", "rejected"]);
  });

  test("does not touch a transaction that somebody else has open on the connection", async () => {
    db.run("BEGIN");
    db.run("INSERT INTO item (id) VALUES ('theirs')");
    await expect(insert("ours")).rejects.toThrow("within a transaction");
    db.run("COMMIT");
    expect(committed()).toEqual(["theirs"]);
  });
});

describe("flush and close", () => {
  test("flush commits before it returns", async () => {
    const write = insert("a");
    group.flush();
    expect(committed()).toEqual(["a"]);
    await write;
  });

  test("flush from inside a callback is refused and costs only that write", async () => {
    const results = await Promise.allSettled([insert("a"), group.write(() => group.flush())]);
    expect(results[1]).toMatchObject({ status: "rejected", reason: expect.any(Error) });
    expect(committed()).toEqual(["a"]);
  });

  test("close commits what is queued, can be repeated, and refuses later writes", async () => {
    const write = insert("a");
    group.close();
    group.close();
    await write;
    expect(committed()).toEqual(["a"]);
    await expect(insert("b")).rejects.toMatchObject({ code: "STORAGE_CLOSED" });
  });
});

describe("inside a module graph", () => {
  test("an object of the host goes on after a graph that wrote to it is disposed", async () => {
    const file = join(folder, "service.ts");
    writeFileSync(file, "export const write = (group, fn) => void group.write(fn);");
    const graph = new Bun.ModuleGraph({});
    const service = await graph.import(file);
    graph.run(() => service.write(group, () => db.run("INSERT INTO item (id) VALUES ('graph')")));
    graph.dispose();
    await insert("host");
    expect(committed()).toEqual(["graph", "host"]);
  });

  test("one made in a graph is drained by flush before the graph goes", async () => {
    const file = join(folder, "service.ts");
    writeFileSync(
      file,
      `import { GroupCommit } from ${JSON.stringify(join(import.meta.dir, "group-commit.ts"))};
       export const open = (db) => new GroupCommit(db);`,
    );
    const graph = new Bun.ModuleGraph({});
    const service = await graph.import(file);
    const theirs = graph.run(() => service.open(db)) as GroupCommit;
    graph.run(() => theirs.write(() => db.run("INSERT INTO item (id) VALUES ('theirs')")));
    theirs.flush();
    graph.dispose();
    expect(committed()).toEqual(["theirs"]);
  });
});
