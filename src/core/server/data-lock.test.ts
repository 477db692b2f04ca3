import { afterAll, expect, spyOn, test } from "bun:test";
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holdDataDir, prepareDataDir } from "./data-lock.js";

const root = mkdtempSync(join(tmpdir(), "reef-lock-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("a data folder has one holder at a time, and another when that one lets go", () => {
  const release = holdDataDir(root);
  expect(() => holdDataDir(root)).toThrow(`another server uses the data folder ${root}`);
  release();
  holdDataDir(root)();
});

/** A process that holds the data folder, and keeps nothing that would let go of it. */
async function holder() {
  const script = `const { holdDataDir } = await import(${JSON.stringify(join(import.meta.dir, "data-lock.ts"))});
    holdDataDir(${JSON.stringify(root)}); Bun.gc(true); await Bun.sleep(0); Bun.gc(true);
    console.log("held"); setInterval(() => undefined, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  const end = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  const { value } = await child.stdout.getReader().read();
  return { said: new TextDecoder().decode(value), end, [Symbol.asyncDispose]: end };
}

test("the lock lasts as long as its process, and ends when that is killed", async () => {
  await using process = await holder();
  expect(process.said).toContain("held");
  expect(() => holdDataDir(root)).toThrow("another server");
  await process.end();
  holdDataDir(root)();
});

test("who merely asks at the same moment, and is refused, keeps nobody from holding it", async () => {
  holdDataDir(root)();
  // What a process holds for an instant that asks and does not get it.
  const script = `const { Database } = require("bun:sqlite");
    const db = new Database(${JSON.stringify(join(root, ".reef", "lock.sqlite"))});
    db.exec("BEGIN"); db.query("SELECT * FROM sqlite_master").all();
    console.log("asking"); await Bun.sleep(50); db.exec("COMMIT");`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  await child.stdout.getReader().read();
  holdDataDir(root)();
  expect(await child.exited).toBe(0);
});

const lockFile = (dataDir: string) => join(dataDir, ".reef", "lock.sqlite");
const damaged = (name: string, content: string) => {
  const dataDir = join(root, name);
  prepareDataDir(dataDir);
  writeFileSync(lockFile(dataDir), content);
  return dataDir;
};

test.each([
  ["zeros", "\0".repeat(4096)],
  ["text", "no lock ".repeat(1000)],
  ["half a header", "SQLite format 3\0"],
  ["a header and garbage", `SQLite format 3\0${"x".repeat(4096)}`],
  ["nothing", ""],
])("whatever a damaged lock holds (%s), it is a lock again, and one server has it", (what, content) => {
  const dataDir = damaged(what, content);
  const release = holdDataDir(dataDir);
  expect(() => holdDataDir(dataDir)).toThrow("another server");
  release();
  holdDataDir(dataDir)();
});

test("who finds the lock damaged and comes late does not get what another holds by then", () => {
  const dataDir = damaged("late", "no lock ".repeat(1000));
  let release: (() => void) | undefined;
  const truncate = spyOn(fs, "truncateSync").mockImplementationOnce((path) => {
    truncate.mockRestore();
    release = holdDataDir(dataDir);
    fs.truncateSync(path);
  });
  expect(() => holdDataDir(dataDir)).toThrow("another server");
  release?.();
  holdDataDir(dataDir)();
});

test("a lock that leads elsewhere or is no file is left alone and named", () => {
  const dataDir = damaged("link", "");
  const precious = join(root, "precious");
  writeFileSync(precious, "no lock ".repeat(1000));
  rmSync(lockFile(dataDir));
  symlinkSync(precious, lockFile(dataDir));
  expect(() => holdDataDir(dataDir)).toThrow(`the lock ${lockFile(dataDir)} cannot be used (file is not`);
  expect(readFileSync(precious, "utf8")).toStartWith("no lock");
  rmSync(lockFile(dataDir));
  mkdirSync(lockFile(dataDir));
  expect(() => holdDataDir(dataDir)).toThrow(`the lock ${lockFile(dataDir)} cannot be used (unable to open`);
});

test("a data folder is created with its parents, and as it is when it is there", () => {
  const dataDir = join(root, "not", "there", "yet");
  prepareDataDir(dataDir);
  prepareDataDir(dataDir);
  expect(existsSync(join(dataDir, ".reef"))).toBe(true);
});

test.each(["EROFS", "EACCES"])(
  "a data folder that cannot be written to (%s) is refused before it is used",
  (code) => {
    const access = spyOn(fs, "accessSync").mockImplementation(() => {
      throw Object.assign(new Error(`${code}: so the system says`), { code });
    });
    try {
      expect(() => holdDataDir(root)).toThrow(
        `REEF_DATA_DIR is ${JSON.stringify(root)}, which cannot be used (${code}`,
      );
      expect(access).toHaveBeenCalled();
    } finally {
      access.mockRestore();
    }
    holdDataDir(root)();
  },
);
