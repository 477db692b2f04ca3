import { Database } from "bun:sqlite";
import { afterEach, describe, expect, spyOn, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { useTempFolder } from "../../tests/storage/temp-folder.js";
import { makePipe } from "../../tests/support/pipe.js";
import { type Migration, openSqlite, SqliteFile, type StorageReport } from "./index.js";

const { path, names, reports, onReport } = useTempFolder();
const opened: { close(): void }[] = [];
afterEach(() => {
  for (const database of opened.splice(0)) database.close();
});

const V1 =
  "CREATE TABLE book (id TEXT PRIMARY KEY, title TEXT NOT NULL); CREATE INDEX by_title ON book (title)";
function open(migrations: Migration[] = [V1], extra: object = {}): Database {
  const db = openSqlite(path("l.db"), { migrations, onReport, ...extra });
  opened.push(db);
  return db;
}
function store(extra: object = {}): SqliteFile {
  const file = new SqliteFile({ path: path("l.db"), migrations: [V1], onReport, ...extra });
  opened.push(file);
  return file;
}
const titles = (db: Database) =>
  (db.query("SELECT title FROM book ORDER BY id").all() as { title: string }[]).map((book) => book.title);
const version = (db: Database) =>
  (db.query("PRAGMA user_version").get() as { user_version: number }).user_version;

/** A closed database with enough rows for several pages. */
function makeDatabase(): void {
  const db = openSqlite(path("l.db"), { migrations: [V1] });
  for (let n = 0; n < 200; n++) db.run("INSERT INTO book VALUES (?, ?)", [`b${n}`, "x".repeat(200)]);
  db.close();
}

describe("opening", () => {
  test("sets what makes a commit durable", () => {
    mkdirSync(path("deeper"));
    const db = openSqlite(path("deeper/still/l.db"));
    opened.push(db);
    expect(db.query("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(db.query("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
    expect(db.query("PRAGMA foreign_keys").get()).toEqual({ foreign_keys: 1 });
    expect(db.query("PRAGMA busy_timeout").get()).toEqual({ timeout: 5000 });
  });

  test("finds what was stored", () => {
    open().run("INSERT INTO book VALUES ('1', 'Emma')");
    expect(titles(open())).toEqual(["Emma"]);
    expect(reports).toEqual([]);
  });

  test("makes a file that is found sound, though nothing was stored in it", () => {
    for (let n = 0; n < 2; n++) open([]).close();
    expect(reports).toEqual([]);
  });

  test("leaves no file where there was none when it fails", () => {
    const run = spyOn(Database.prototype, "run").mockImplementation(() => {
      throw new Error("disk full");
    });
    try {
      expect(() => open()).toThrow("disk full");
    } finally {
      run.mockRestore();
    }
    expect(names()).toEqual([]);
    open();
    expect(reports).toEqual([]);
  });

  test("of a pipe is an error, and leaves it where it is", () => {
    makePipe(path("l.db"));
    expect(() => open()).toThrow(
      expect.objectContaining({ code: "STORAGE_IO", message: expect.stringContaining("not a regular file") }),
    );
    expect([names(), reports]).toEqual([["l.db"], []]);
  });

  test("of something that is no file is an error", () => {
    mkdirSync(path("l.db"));
    expect(() => open()).toThrow(expect.objectContaining({ code: "STORAGE_IO", path: path("l.db") }));
  });
});

describe("migrations", () => {
  test("run in order, once, and continue where an older version ended", () => {
    const ran: number[] = [];
    const steps: Migration[] = [V1, "INSERT INTO book VALUES ('1', 'Emma')", () => void ran.push(3)];
    open(steps.slice(0, 2));
    const db = open(steps);
    open(steps);
    expect(ran).toEqual([3]);
    expect(version(db)).toBe(3);
    expect(titles(db)).toEqual(["Emma"]);
  });

  test("that fail leave the database at the version it had", () => {
    open().run("INSERT INTO book VALUES ('1', 'Emma')");
    const broken: Migration[] = [
      V1,
      "ALTER TABLE book ADD COLUMN year INTEGER",
      "INSERT INTO nowhere VALUES (1)",
    ];
    expect(() => open(broken)).toThrow("migration 3: no such table: nowhere");
    const asynchronous = [
      V1,
      async (db: Database) => void db.run("DELETE FROM book"),
    ] as unknown as Migration[];
    expect(() => open(asynchronous)).toThrow("migration 2: a migration must be synchronous");
    const db = open();
    expect(version(db)).toBe(1);
    expect(db.query("SELECT * FROM book").all()).toEqual([{ id: "1", title: "Emma" }]);
  });

  test("may rebuild a table that others refer to, but leave no orphans", () => {
    const tables = `CREATE TABLE author (id TEXT PRIMARY KEY);
      CREATE TABLE work (author TEXT REFERENCES author (id));
      INSERT INTO author VALUES ('a'); INSERT INTO work VALUES ('a')`;
    const rebuild = `CREATE TABLE new_author (id TEXT PRIMARY KEY, name TEXT);
      INSERT INTO new_author SELECT id, id FROM author; DROP TABLE author; ALTER TABLE new_author RENAME TO author`;
    const db = open([tables, rebuild]);
    expect(db.query("SELECT count(*) AS n FROM work JOIN author ON author.id = work.author").get()).toEqual({
      n: 1,
    });
    expect(() => db.run("INSERT INTO work VALUES ('nobody')")).toThrow("FOREIGN KEY");
    expect(() => open([tables, rebuild, "DELETE FROM author"])).toThrow(
      "a row of work refers to a missing row of author",
    );
  });

  test("of a newer version are refused and the file is left alone", () => {
    const db = openSqlite(path("l.db"), { migrations: [V1, "INSERT INTO book VALUES ('1', 'Emma')"] });
    db.run("PRAGMA journal_mode = DELETE");
    db.close();
    const before = readFileSync(path("l.db"));
    expect(() => open([V1])).toThrow(expect.objectContaining({ code: "STORAGE_VERSION" }));
    expect(readFileSync(path("l.db"))).toEqual(before);
  });
});

describe("a damaged database", () => {
  const damages: [string, () => void][] = [
    ["is garbage", () => writeFileSync(path("l.db"), "this is not a database, not by a long way".repeat(50))],
    ["has lost its end", () => writeFileSync(path("l.db"), readFileSync(path("l.db")).subarray(0, 8192))],
    [
      "has garbage in the middle",
      () => {
        const bytes = readFileSync(path("l.db"));
        bytes.fill(0xa5, 8192, 8192 + 4096 * 3);
        writeFileSync(path("l.db"), bytes);
      },
    ],
  ];

  test.each(damages)("that %s is set aside and reported", (_, damage) => {
    makeDatabase();
    // A new file, as after a restart: one that this process has examined is not read again.
    copyFileSync(path("l.db"), path("copy"));
    renameSync(path("copy"), path("l.db"));
    damage();
    const content = readFileSync(path("l.db"));
    const db = open();
    db.run("INSERT INTO book VALUES ('1', 'Emma')");
    expect(titles(db)).toEqual(["Emma"]);
    const [report] = reports as [StorageReport];
    expect(reports).toHaveLength(1);
    expect(report).toMatchObject({ kind: "corrupt", path: path("l.db") });
    expect(report.message).toContain(report.setAside as string);
    expect(readFileSync(report.setAside as string)).toEqual(content);
  });

  test.each(["missing", "empty"])("that is %s beside a write-ahead log is set aside with it", (state) => {
    const db = new Database(path("source.db"));
    db.run("PRAGMA journal_mode = WAL");
    db.run("CREATE TABLE lost (x)");
    copyFileSync(path("source.db-wal"), path("l.db-wal"));
    if (state === "empty") writeFileSync(path("l.db"), "");
    db.close();
    const log = readFileSync(path("l.db-wal"));
    expect(titles(open())).toEqual([]);
    expect(readFileSync(`${reports[0]?.setAside}-wal`)).toEqual(log);
  });

  test.each(["quick", "header"])("of 0 bytes is set aside and reported (check: %s)", (check) => {
    writeFileSync(path("l.db"), "");
    expect(titles(open([V1], { check }))).toEqual([]);
    expect(reports).toMatchObject([{ kind: "corrupt", message: expect.stringContaining("empty (0 bytes)") }]);
    expect(readFileSync(reports[0]?.setAside as string)).toHaveLength(0);
  });

  test("is noticed by its header alone when a full check is not wanted", () => {
    writeFileSync(path("l.db"), "garbage, and enough of it to be looked at".repeat(20));
    open([V1], { check: "header" });
    expect(reports).toMatchObject([{ kind: "corrupt" }]);
  });

  test("keeps changes that are only in the log of a sound one", () => {
    const crashed = open();
    crashed.run("INSERT INTO book VALUES ('1', 'Emma')");
    for (const suffix of ["", "-wal"]) copyFileSync(path(`l.db${suffix}`), path(`after-crash.db${suffix}`));
    const db = openSqlite(path("after-crash.db"), { migrations: [V1], onReport });
    opened.push(db);
    expect(titles(db)).toEqual(["Emma"]);
    expect(reports).toEqual([]);
  });
});

describe("a SqliteFile", () => {
  const add = (file: SqliteFile, id: string) =>
    file.write((db) => db.run("INSERT INTO book VALUES (?, ?)", [id, id]));

  test("opens at first use and commits together what arrives together", async () => {
    const file = store();
    expect(names()).toEqual([]);
    const results = await Promise.allSettled([add(file, "a"), add(file, "a"), add(file, "b")]);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(titles(open())).toEqual(["a", "b"]);
  });

  test("rejects writes to a database that cannot be opened", async () => {
    openSqlite(path("l.db"), { migrations: [V1, "SELECT 1"] }).close();
    await expect(add(store(), "a")).rejects.toMatchObject({ code: "STORAGE_VERSION" });
    expect(() => store().open()).toThrow("newer version");
  });

  test("flush commits before it returns", () => {
    const file = store();
    void add(file, "a");
    file.flush();
    expect(titles(open())).toEqual(["a"]);
  });

  test("close commits what is queued, can be repeated, and ends all use", async () => {
    const file = store();
    const write = add(file, "a");
    file.close();
    file.close();
    await write;
    await expect(add(file, "b")).rejects.toMatchObject({ code: "STORAGE_CLOSED" });
    expect(() => file.db).toThrow("it is closed");
    expect(existsSync(path("l.db-wal"))).toBe(false);
    expect(titles(open())).toEqual(["a"]);
  });

  test("closing one that was never used makes no file", () => {
    store().close();
    expect(names()).toEqual([]);
  });

  test("can be closed after its database was closed under it", () => {
    const file = store().open();
    file.db.close();
    file.close();
    rmSync(path("l.db"));
  });
});
