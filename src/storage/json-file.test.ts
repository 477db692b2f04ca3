import { describe, expect, spyOn, test } from "bun:test";
import fs, { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Type } from "@sinclair/typebox";
import { useTempFolder } from "../../tests/storage/temp-folder.js";
import { JsonFile, type StorageReport } from "./index.js";

const { path, names, reports, onReport } = useTempFolder();

interface Counter {
  count: number;
  tags?: string[];
}
const counter = (extra: object = {}) =>
  new JsonFile<Counter>({ path: path("c.json"), initial: { count: 0 }, onReport, ...extra });
const increment = (value: Readonly<Counter>) => ({ ...value, count: value.count + 1 });
const onDisk = () => JSON.parse(readFileSync(path("c.json"), "utf8"));

describe("updates", () => {
  test("are on disk when they resolve, and not seen before", async () => {
    const file = counter();
    const update = file.update(increment);
    expect(file.value).toEqual({ count: 0 });
    expect(existsSync(path("c.json"))).toBe(false);
    expect(await update).toEqual({ count: 1 });
    expect(onDisk()).toEqual({ count: 1 });
    expect(counter().value).toEqual({ count: 1 });
  });

  test("made together build on one another and share one write", async () => {
    const file = counter();
    const rename = spyOn(fs, "renameSync");
    try {
      const results = await Promise.all([1, 2, 3].map(() => file.update(increment)));
      expect(results.map((value) => value.count)).toEqual([1, 2, 3]);
      expect(rename).toHaveBeenCalledTimes(1);
    } finally {
      rename.mockRestore();
    }
    expect(onDisk()).toEqual({ count: 3 });
  });

  test("that throw reject alone and leave no trace", async () => {
    const file = counter();
    const results = await Promise.allSettled([
      file.update(increment),
      file.update(() => {
        throw new Error("no");
      }),
      file.update((value) => {
        (value as Counter).count = 99;
        return value;
      }),
      file.update(increment),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect(onDisk()).toEqual({ count: 2 });
  });

  test.each([
    ["resolves", async () => ({ count: 1 })],
    ["rejects", () => Promise.reject(new Error("later"))],
  ])("that return a promise, which %s, are refused and store nothing", async (_how, change) => {
    const file = counter();
    const refused = file.update(change as never);
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow(`the new value of ${file.path} is a promise`);
    expect(file.value).toEqual({ count: 0 });
    expect(names()).toEqual([]);
  });

  test("that return the same value write nothing", async () => {
    const file = counter();
    await file.update((value) => value);
    expect(names()).toEqual([]);
  });

  test("show a value as it will be read back", async () => {
    const file = new JsonFile<{ at: unknown }>({ path: path("d.json"), initial: { at: null } });
    const at = new Date(0);
    expect(await file.update(() => ({ at }))).toEqual({ at: "1970-01-01T00:00:00.000Z" });
    expect(file.value).toEqual({ at: "1970-01-01T00:00:00.000Z" });
  });

  test("keep no tie to what the caller holds", async () => {
    const file = counter();
    const tags = ["a"];
    await file.update((value) => ({ ...value, tags }));
    tags.push("b");
    expect(file.value.tags).toEqual(["a"]);
    expect(() => (file.value.tags as string[]).push("c")).toThrow(TypeError);
  });

  test.each([
    ["undefined", undefined],
    ["a function", () => 1],
    ["a bigint", { count: 1n }],
  ])("refuse %s", async (_, value) => {
    const file = counter();
    await expect(file.update(() => value as unknown as Counter)).rejects.toMatchObject({
      code: "STORAGE_SHAPE",
    });
    expect(file.value).toEqual({ count: 0 });
  });

  test("that miss the schema are refused with the place", async () => {
    const file = counter({ schema: Type.Object({ count: Type.Integer({ minimum: 0 }) }) });
    await expect(file.update(() => ({ count: -1 }))).rejects.toThrow(/does not match its schema at \/count/);
    expect(file.value).toEqual({ count: 0 });
  });

  test("that cannot be written reject, leave the value, and do not stop later ones", async () => {
    const file = counter();
    await file.update(increment);
    mkdirSync(path("c.json.tmp"));
    writeFileSync(path("c.json.tmp/in-the-way"), "");
    const results = await Promise.allSettled([file.update(increment), file.update(increment)]);
    for (const result of results)
      expect(result).toMatchObject({ status: "rejected", reason: { code: "STORAGE_IO" } });
    expect(file.value).toEqual({ count: 1 });
    rmSync(path("c.json.tmp"), { recursive: true });
    expect(await file.update(increment)).toEqual({ count: 2 });
  });
});

describe("a damaged file", () => {
  test.each([
    ["0 bytes", ""],
    ["truncated JSON", '{ "count": 12, "tags": ["a'],
    ["garbage", Buffer.from([0, 1, 2, 0xff, 0xfe])],
    ["text that is not UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["NUL bytes", Buffer.alloc(100)],
    ["a list instead of an object", "[]"],
    ["null", "null"],
  ])("of %s is set aside and reported", async (_, content) => {
    writeFileSync(path("c.json"), content);
    const file = counter();
    expect(file.value).toEqual({ count: 0 });
    await file.update(increment);
    expect(reports).toHaveLength(1);
    const [report] = reports as [StorageReport];
    expect(report).toMatchObject({ kind: "corrupt", path: path("c.json") });
    expect(report.message).toContain(report.setAside as string);
    expect(readFileSync(report.setAside as string)).toEqual(Buffer.from(content));
    expect(counter().value).toEqual({ count: 1 });
  });

  test("is announced on the console when nobody else listens", () => {
    writeFileSync(path("c.json"), "{");
    const warn = spyOn(console, "warn").mockImplementation(() => undefined);
    try {
      expect(counter({ onReport: undefined }).value).toEqual({ count: 0 });
      expect(warn.mock.calls).toHaveLength(1);
      expect(String(warn.mock.calls[0]?.[0])).toMatch(/c\.json is not JSON .*: moved to .*c\.json\.corrupt-/);
    } finally {
      warn.mockRestore();
    }
  });

  test("is recovered from even when the receiver of the report throws", () => {
    writeFileSync(path("c.json"), "{");
    const warn = spyOn(console, "warn").mockImplementation(() => undefined);
    const failing = () => {
      throw new Error("receiver");
    };
    try {
      expect(counter({ onReport: failing }).value).toEqual({ count: 0 });
      expect(warn.mock.calls).toHaveLength(2);
    } finally {
      warn.mockRestore();
    }
  });

  test("that was sound when it was read is written again from memory", async () => {
    const file = counter();
    await file.update(increment);
    writeFileSync(path("c.json"), "{ half an edi");
    expect(file.value).toEqual({ count: 1 });
    expect(onDisk()).toEqual({ count: 1 });
    expect(reports).toMatchObject([{ kind: "corrupt", message: expect.stringContaining("from memory") }]);
  });
});

test("a damaged file that cannot be written again yet is, as soon as there is space", async () => {
  const file = counter();
  await file.update(increment);
  writeFileSync(path("c.json"), "");
  const full = spyOn(fs, "writeSync").mockImplementation(() => {
    throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
  });
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(() => file.value).toThrow(expect.objectContaining({ code: "STORAGE_FULL" }));
    }
  } finally {
    full.mockRestore();
  }
  expect(file.value).toEqual({ count: 1 });
  expect(onDisk()).toEqual({ count: 1 });
  expect(reports).toMatchObject([{ kind: "corrupt" }]);
});

describe("a sound file of another shape", () => {
  const schema = Type.Object({ count: Type.Number(), unit: Type.String() });
  const v2 = (extra: object = {}) => {
    const initial = { count: 0, unit: "" };
    return new JsonFile({ path: path("c.json"), initial, schema, onReport, ...extra });
  };

  test("is refused and left untouched, so that the version that wrote it can go on", async () => {
    await counter().update(increment);
    const before = readFileSync(path("c.json"), "utf8");
    expect(() => v2().open()).toThrow(/c\.json does not match its schema at \/unit/);
    await expect(v2().update((value) => value)).rejects.toMatchObject({ code: "STORAGE_SHAPE" });
    expect(readFileSync(path("c.json"), "utf8")).toBe(before);
    expect(reports).toEqual([]);
  });

  test("can be upgraded", async () => {
    await counter().update(increment);
    const file = v2({ upgrade: (stored: object) => ({ unit: "kg", ...stored }) });
    expect(file.value).toEqual({ count: 1, unit: "kg" });
    await file.update((value) => ({ ...value, count: 2 }));
    expect(onDisk()).toEqual({ count: 2, unit: "kg" });
  });
});

describe("a value of another kind than the initial one", () => {
  const file = (initial: unknown, extra: object = {}) =>
    new JsonFile<unknown>({ path: path("v.json"), initial, onReport, ...extra });

  test.each([
    ["an initial null", null, {}],
    ["a schema that allows it", "none", { schema: Type.Union([Type.String(), Type.Object({})]) }],
    ["an upgrade", "none", { upgrade: (stored: unknown) => stored }],
  ])("is there after the next start where there is %s", async (_, initial, extra) => {
    await file(initial, extra).update(() => ({ user: "ada" }));
    expect(file(initial, extra).value).toEqual({ user: "ada" });
    expect(reports).toEqual([]);
  });

  test.each([
    ["null", 0, Number.NaN],
    ["an array", {}, []],
    ["a string", {}, new Date(0)],
  ])("is refused when it is written where it would be taken for damage: %s", async (kind, initial, value) => {
    const refused = file(initial).update(() => value);
    await expect(refused).rejects.toMatchObject({ code: "STORAGE_SHAPE" });
    await expect(refused).rejects.toThrow(kind);
    expect(file(initial).value).toEqual(initial);
    expect(names()).toEqual([]);
  });
});

test("a file that cannot be read is an error, not an empty store", () => {
  mkdirSync(path("c.json"));
  expect(() => counter().value).toThrow(expect.objectContaining({ code: "STORAGE_IO" }));
  expect(names()).toEqual(["c.json"]);
});

test("a file that somebody removed is reported", async () => {
  const file = counter();
  await file.update(increment);
  rmSync(path("c.json"));
  expect(file.value).toEqual({ count: 0 });
  expect(reports).toMatchObject([{ kind: "missing", path: path("c.json") }]);
});

describe("two instances on one path", () => {
  test("see each other's writes and lose none", async () => {
    const [old, fresh] = [counter(), counter()];
    await fresh.update(increment);
    await old.update(increment);
    expect(fresh.value).toEqual({ count: 2 });
    await Promise.all([old, fresh, old, fresh].map((file) => file.update(increment)));
    expect(onDisk()).toEqual({ count: 6 });
  });
});

describe("flush and close", () => {
  test("flush writes before it returns", () => {
    const file = counter();
    void file.update(increment);
    file.flush();
    expect(onDisk()).toEqual({ count: 1 });
  });

  test("close writes what is queued, can be repeated, and ends all use", async () => {
    const file = counter();
    const update = file.update(increment);
    file.close();
    file.close();
    await update;
    expect(onDisk()).toEqual({ count: 1 });
    await expect(file.update(increment)).rejects.toMatchObject({ code: "STORAGE_CLOSED" });
    expect(() => file.value).toThrow("it is closed");
  });

  test("closing a file that was never used makes none", () => {
    counter().close();
    expect(names()).toEqual([]);
  });
});
