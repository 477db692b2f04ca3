import { afterEach, describe, expect, spyOn, test } from "bun:test";
import fs from "node:fs";
import promises from "node:fs/promises";
import { basename } from "node:path";
import { useTempFolder } from "../../tests/storage/temp-folder.js";
import { makePipe } from "../../tests/support/pipe.js";
import { ensureFolder, markOf, readWithMark, replaceFile, setAside, writeFileAtomic } from "./files.js";

const { path, names } = useTempFolder();
const spies: { mockRestore(): void }[] = [];
afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore();
});

/** Notes the calls that decide what survives a power cut, with the file they are about. */
function traceDisk(): string[] {
  const calls: string[] = [];
  const opened = new Map<number, string>();
  const { openSync, writeSync, fsyncSync, renameSync } = fs;
  const trace = <Name extends "openSync" | "writeSync" | "fsyncSync" | "renameSync">(
    name: Name,
    implementation: (...args: never[]) => unknown,
  ) => void spies.push(spyOn(fs, name).mockImplementation(implementation as never));
  trace("openSync", (file: string, ...rest: [string, number]) => {
    const fd = openSync(file, ...rest);
    opened.set(fd, basename(file));
    return fd;
  });
  trace("writeSync", (fd: number, ...rest: [Uint8Array]) => {
    calls.push(`write ${opened.get(fd)}`);
    return writeSync(fd, ...rest);
  });
  trace("fsyncSync", (fd: number) => {
    calls.push(`sync ${opened.get(fd)}`);
    fsyncSync(fd);
  });
  trace("renameSync", (from: string, to: string) => {
    calls.push(`rename ${basename(from)} ${basename(to)}`);
    renameSync(from, to);
  });
  return calls;
}

describe("writeFileAtomic", () => {
  test("syncs the content before the rename and the folder after it", () => {
    const folder = basename(path("."));
    const calls = traceDisk();
    writeFileAtomic(path("a.json"), "{}");
    expect(calls).toEqual([
      "write a.json.tmp",
      "sync a.json.tmp",
      "rename a.json.tmp a.json",
      `sync ${folder}`,
    ]);
  });

  test("leaves the old content and no temporary file when the write fails half-way", () => {
    writeFileAtomic(path("a.json"), "old");
    const { writeSync } = fs;
    let calls = 0;
    const write = spyOn(fs, "writeSync").mockImplementation(((
      fd: number,
      bytes: Uint8Array,
      offset: number,
    ) => {
      if (calls++ > 0) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      return writeSync(fd, bytes, offset, 1);
    }) as never);
    spies.push(write);
    expect(() => writeFileAtomic(path("a.json"), "new")).toThrow(
      expect.objectContaining({ code: "STORAGE_FULL" }),
    );
    expect(calls).toBe(2);
    expect(fs.readFileSync(path("a.json"), "utf8")).toBe("old");
    expect(names()).toEqual(["a.json"]);
  });

  test("leaves the old content when its folder cannot be opened to be synced", () => {
    writeFileAtomic(path("a.json"), "old");
    const { openSync } = fs;
    const open = (file: string, ...rest: [string, number]) => {
      if (file === path(".")) throw Object.assign(new Error("too many open files"), { code: "EMFILE" });
      return openSync(file, ...rest);
    };
    spies.push(spyOn(fs, "openSync").mockImplementation(open as never));
    expect(() => writeFileAtomic(path("a.json"), "new")).toThrow("too many open files");
    expect([fs.readFileSync(path("a.json"), "utf8"), names()]).toEqual(["old", ["a.json"]]);
  });

  test("keeps the mode of the file it replaces and gives a new one the mode that was asked for", () => {
    const modeOf = (name: string) => fs.statSync(path(name)).mode & 0o777;
    writeFileAtomic(path("secret"), "1", 0o600);
    writeFileAtomic(path("secret"), "2");
    expect(modeOf("secret")).toBe(0o600);
    writeFileAtomic(path("plain"), "1");
    expect(modeOf("plain")).toBe(0o666 & ~process.umask());
  });

  test("writes over what a crash left of an earlier temporary file", () => {
    fs.writeFileSync(path("a.json.tmp"), "a long remainder of something");
    writeFileAtomic(path("a.json"), "new");
    expect(fs.readFileSync(path("a.json"), "utf8")).toBe("new");
    expect(names()).toEqual(["a.json"]);
  });

  test("returns the mark that the file then has, and each write has its own", () => {
    const times = spyOn(fs, "futimesSync");
    spies.push(times);
    const marks = Array.from({ length: 50 }, () => writeFileAtomic(path("a.json"), "same"));
    expect(markOf(path("a.json"))).toBe(marks.at(-1) as string);
    expect(readWithMark(path("a.json"))?.mark).toBe(marks.at(-1) as string);
    expect(new Set(marks).size).toBe(50);
    expect(new Set(times.mock.calls.map(([, , modified]) => modified)).size).toBe(50);
    expect(Math.abs(fs.statSync(path("a.json")).mtimeMs - Date.now())).toBeLessThan(60_000);
  });

  test("writes through a symbolic link, to a file that need not be there, and leaves the link", () => {
    fs.mkdirSync(path("elsewhere"));
    fs.writeFileSync(path("elsewhere/there.json"), "old");
    fs.symlinkSync("elsewhere/there.json", path("there.json"));
    fs.symlinkSync(path("elsewhere/new/missing.json"), path("elsewhere/step.json"));
    fs.symlinkSync("elsewhere/step.json", path("missing.json"));
    for (const name of ["there.json", "missing.json"]) {
      expect(writeFileAtomic(path(name), "new")).toBe(markOf(path(name)));
      expect(fs.lstatSync(path(name)).isSymbolicLink()).toBe(true);
    }
    expect(fs.readFileSync(path("elsewhere/there.json"), "utf8")).toBe("new");
    expect(fs.readFileSync(path("elsewhere/new/missing.json"), "utf8")).toBe("new");
    expect(names()).toEqual(["elsewhere", "missing.json", "there.json"]);
    expect(fs.readdirSync(path("elsewhere")).sort()).toEqual(["new", "step.json", "there.json"]);
  });

  test("refuses links that lead in a circle", () => {
    fs.symlinkSync("b.json", path("a.json"));
    fs.symlinkSync("a.json", path("b.json"));
    expect(() => writeFileAtomic(path("a.json"), "new")).toThrow(
      expect.objectContaining({ code: "STORAGE_IO", path: path("a.json") }),
    );
    expect(names()).toEqual(["a.json", "b.json"]);
  });

  test("leaves what is no file where it is, also behind a link", () => {
    makePipe(path("pipe"));
    fs.symlinkSync("pipe", path("a.json"));
    for (const name of ["pipe", "a.json"]) {
      expect(() => writeFileAtomic(path(name), "new")).toThrow(
        expect.objectContaining({
          code: "STORAGE_IO",
          message: expect.stringContaining("not a regular file"),
        }),
      );
    }
    expect(fs.statSync(path("a.json")).isFIFO()).toBe(true);
    expect(names()).toEqual(["a.json", "pipe"]);
  });

  test("says which file it could not write", () => {
    fs.mkdirSync(path("a.json"));
    expect(() => writeFileAtomic(path("a.json"), "x")).toThrow(
      expect.objectContaining({ code: "STORAGE_IO", path: path("a.json") }),
    );
    expect(names()).toEqual(["a.json"]);
  });
});

test("ensureFolder syncs the parent of every folder it makes", () => {
  const calls = traceDisk();
  ensureFolder(path("a/b/c"));
  expect(calls).toEqual(["sync b", "sync a", `sync ${basename(path("."))}`]);
  calls.length = 0;
  ensureFolder(path("a/b/c"));
  expect(calls).toEqual([]);
});

describe("setAside", () => {
  test("moves a file and its companions to one new name, never over another file", () => {
    for (const copy of [1, 2]) {
      fs.writeFileSync(path("x.db"), `content ${copy}`);
      fs.writeFileSync(path("x.db-wal"), `log ${copy}`);
      const name = setAside(path("x.db"), ["-wal", "-shm"]);
      expect(fs.readFileSync(name, "utf8")).toBe(`content ${copy}`);
      expect(fs.readFileSync(`${name}-wal`, "utf8")).toBe(`log ${copy}`);
    }
    expect(names()).toHaveLength(4);
    expect(names().every((name) => name.startsWith("x.db.corrupt-"))).toBe(true);
  });

  test("moves what a symbolic link leads to, beside it, and leaves the link", () => {
    fs.mkdirSync(path("elsewhere"));
    fs.writeFileSync(path("elsewhere/x.json"), "damaged");
    fs.symlinkSync("elsewhere/x.json", path("x.json"));
    expect(fs.readFileSync(setAside(path("x.json")), "utf8")).toBe("damaged");
    writeFileAtomic(path("x.json"), "whole");
    expect(fs.readFileSync(path("elsewhere/x.json"), "utf8")).toBe("whole");
    expect(names()).toEqual(["elsewhere", "x.json"]);
  });

  test("moves no device, pipe or socket that a link leads to: others may use it", () => {
    makePipe(path("pipe"));
    fs.symlinkSync("pipe", path("x.json"));
    expect(() => setAside(path("x.json"))).toThrow(
      expect.objectContaining({
        code: "STORAGE_CORRUPT",
        message: expect.stringContaining("not a regular file"),
      }),
    );
    expect(names()).toEqual(["pipe", "x.json"]);
  });

  test("refuses to go on with a file that cannot be moved", () => {
    fs.writeFileSync(path("x.db"), "damaged");
    const refusal = Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
    spies.push(
      spyOn(fs, "renameSync").mockImplementation(() => {
        throw refusal;
      }),
    );
    expect(() => setAside(path("x.db"))).toThrow(
      expect.objectContaining({ code: "STORAGE_CORRUPT", cause: refusal }),
    );
    expect(names()).toEqual(["x.db"]);
  });
});

describe("a path that cannot be read", () => {
  const refusal = (fn: () => unknown, message: string) =>
    expect(fn).toThrow(
      expect.objectContaining({ code: "STORAGE_IO", message: expect.stringContaining(message) }),
    );

  test("is a StorageError, whoever comes upon it first", () => {
    fs.symlinkSync("a.json", path("a.json"));
    fs.writeFileSync(path("file"), "");
    for (const [name, code] of [
      ["a.json", "ELOOP"],
      ["n".repeat(300), "ENAMETOOLONG"],
      ["file/b.json", "ENOTDIR"],
    ] as const) {
      refusal(() => markOf(path(name)), code);
      refusal(() => readWithMark(path(name)), code);
    }
  });

  test("is not waited for when nobody writes to it", () => {
    makePipe(path("pipe"));
    refusal(() => readWithMark(path("pipe")), "not a regular file");
  });
});

describe("replaceFile", () => {
  test("replaces a file, in folders that it makes, and leaves nothing beside it", async () => {
    const target = path("deep/index.json");
    await replaceFile(target, "one");
    await replaceFile(target, "two", { durable: false });
    expect(fs.readFileSync(target, "utf8")).toBe("two");
    expect(fs.readdirSync(path("deep"))).toEqual(["index.json"]);
  });

  test("leaves the old content when it fails, and says where", async () => {
    const target = path("index.json");
    await replaceFile(target, "one");
    spies.push(
      spyOn(promises, "rename").mockImplementation(async () => {
        throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      }),
    );
    expect(await replaceFile(target, "two").catch((error) => error)).toMatchObject({ code: "STORAGE_FULL" });
    expect(fs.readFileSync(target, "utf8")).toBe("one");
    expect(fs.readdirSync(path("."))).toEqual(["index.json"]);
  });

  test("says why it failed also when what it has begun cannot be removed", async () => {
    fs.mkdirSync(path("a.json.tmp"));
    const replacing = replaceFile(path("a.json"), "new");
    expect(await replacing.catch((error) => error)).toMatchObject({ code: "STORAGE_IO" });
    expect(names()).toEqual(["a.json.tmp"]);
  });

  test("has content and name on disk before it resolves, unless that is not asked for", async () => {
    const synced: string[] = [];
    const { open } = promises;
    spies.push(
      spyOn(promises, "open").mockImplementation(async (file, ...rest) => {
        const handle = await open(file, ...rest);
        const { sync } = handle;
        handle.sync = async () => {
          synced.push(basename(String(file)));
          await sync.call(handle);
        };
        return handle;
      }),
    );
    const target = path("index.json");
    await replaceFile(target, "one", { durable: false });
    expect(synced).toEqual([]);
    await replaceFile(target, "two");
    expect(synced).toEqual(["index.json.tmp", basename(path("."))]);
  });
});
