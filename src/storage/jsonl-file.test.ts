import { afterEach, describe, expect, spyOn, test } from "bun:test";
import fs, { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Type } from "@sinclair/typebox";
import { useTempFolder } from "../../tests/storage/temp-folder.js";
import { makePipe } from "../../tests/support/pipe.js";
import { type JsonlEntry, JsonlFile, type JsonlReadOptions, type StorageReport } from "./index.js";

const { path, names, reports, onReport } = useTempFolder();
const spies: { mockRestore(): void }[] = [];
afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore();
});

interface Visit {
  n: number;
  text?: string;
}
const log = (extra: object = {}) => new JsonlFile<Visit>({ path: path("v.jsonl"), onReport, ...extra });
const onDisk = () => readFileSync(path("v.jsonl"), "utf8");
const numbers = async (file: JsonlFile<Visit>, options?: JsonlReadOptions<Visit>) =>
  (await file.list(options)).map((visit) => visit.n);

describe("appending", () => {
  test("resolves once the line is on disk", async () => {
    const file = log();
    const append = file.append({ n: 1 });
    expect(names()).toEqual([]);
    expect(await append).toBe(8);
    expect(onDisk()).toBe('{"n":1}\n');
  });

  test("several entries at once shares one write and one sync and keeps their order", async () => {
    const write = spyOn(fs, "writeSync");
    const sync = spyOn(fs, "fdatasyncSync");
    spies.push(write, sync);
    const file = log();
    await Promise.all([1, 2, 3].map((n) => file.append({ n })));
    expect(write).toHaveBeenCalledTimes(1);
    expect(sync).toHaveBeenCalledTimes(1);
    expect(onDisk()).toBe('{"n":1}\n{"n":2}\n{"n":3}\n');
  });

  test("takes the entry as it was when append was called", async () => {
    const visit = { n: 1 };
    const append = log().append(visit);
    visit.n = 2;
    await append;
    expect(onDisk()).toBe('{"n":1}\n');
  });

  test("refuses what JSON cannot hold or the schema does not allow, and keeps the others", async () => {
    const file = log({ schema: Type.Object({ n: Type.Number() }) });
    const results = await Promise.allSettled([
      file.append({ n: 1 }),
      file.append({ n: "two" } as never),
      log().append(undefined as never),
      log().append({ n: 1n } as never),
      file.append({ n: 3 }),
    ]);
    const refused = { status: "rejected", reason: expect.objectContaining({ code: "STORAGE_SHAPE" }) };
    const kept = { status: "fulfilled" };
    expect(results).toMatchObject([kept, refused, refused, refused, kept]);
    expect(await numbers(file)).toEqual([1, 3]);
  });

  test("goes on in a new file when the old one was moved away", async () => {
    const file = log();
    await file.append({ n: 1 });
    fs.renameSync(path("v.jsonl"), path("v.jsonl.1"));
    await file.append({ n: 2 });
    expect(onDisk()).toBe('{"n":2}\n');
  });

  test("that fails half-way takes back the half, rejects the batch, and later appends are sound", async () => {
    const file = log();
    await file.append({ n: 1 });
    const { writeSync } = fs;
    let calls = 0;
    const write = spyOn(fs, "writeSync").mockImplementation(((
      fd: number,
      bytes: Uint8Array,
      offset: number,
    ) => {
      if (calls++ > 0) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      return writeSync(fd, bytes, offset, 10);
    }) as never);
    const results = await Promise.allSettled([file.append({ n: 2 }), file.append({ n: 3 })]);
    write.mockRestore();
    const full = { status: "rejected", reason: expect.objectContaining({ code: "STORAGE_FULL" }) };
    expect(results).toMatchObject([full, full]);
    expect(onDisk()).toBe('{"n":1}\n');
    await file.append({ n: 4 });
    expect(await numbers(file)).toEqual([1, 4]);
    expect(reports).toEqual([]);
  });
});

describe("reading", () => {
  test("without a file finds nothing and makes none", async () => {
    expect(await numbers(log())).toEqual([]);
    expect(names()).toEqual([]);
  });

  test("is by limit, predicate and direction", async () => {
    const file = log();
    await Promise.all([1, 2, 3, 4, 5].map((n) => file.append({ n })));
    const even = (visit: Visit) => visit.n % 2 === 0;
    expect(await numbers(file, { limit: 2 })).toEqual([1, 2]);
    expect(await numbers(file, { newestFirst: true })).toEqual([5, 4, 3, 2, 1]);
    expect(await numbers(file, { newestFirst: true, limit: 1, where: even })).toEqual([4]);
    expect(await numbers(file, { where: even })).toEqual([2, 4]);
    expect(await numbers(file, { limit: 0 })).toEqual([]);
  });

  test("goes on where an earlier read or an append ended", async () => {
    const file = log();
    await file.append({ n: 1 });
    const afterFirst = await file.append({ n: 2 });
    const afterThird = await file.append({ n: 3 });
    expect(await numbers(file, { since: afterFirst })).toEqual([3]);
    expect(await numbers(file, { since: afterFirst, newestFirst: true })).toEqual([3]);
    expect(await numbers(file, { since: afterThird })).toEqual([]);
    const [second] = await entries(file.read({ since: 8, limit: 1 }));
    expect(second).toEqual({ entry: { n: 2 }, start: 8, end: afterFirst });
  });

  test.each([1, -1, 7.5, 9999, Number.NaN])("from %p, which is no line's end, is refused", async (since) => {
    const file = log();
    await file.append({ n: 1 });
    await expect(file.list({ since })).rejects.toMatchObject({ code: "STORAGE_SHAPE" });
  });

  test("sees what was there when it began", async () => {
    const file = log();
    await Promise.all([1, 2].map((n) => file.append({ n })));
    const seen: number[] = [];
    for await (const { entry } of file.read()) {
      seen.push(entry.n);
      if (seen.length < 10) await file.append({ n: 100 });
    }
    expect(seen).toEqual([1, 2]);
  });

  test("crosses blocks in both directions, whatever falls on a boundary", async () => {
    const file = log();
    const lengths = [65_536 - 21, 0, 1, 65_535, 65_536, 65_537, 300_000, 7, 131_072 - 20];
    const visits = lengths.map((length, n) => ({ n, text: "é".repeat(length / 2) + "x".repeat(length % 2) }));
    await Promise.all(visits.map((visit) => file.append(visit)));
    expect(await file.list()).toEqual(visits);
    expect(await file.list({ newestFirst: true })).toEqual(visits.toReversed());
    const positions = (await entries(file.read())).map(({ start, end }) => [start, end]);
    const backwards = (await entries(file.read({ newestFirst: true }))).map(({ start, end }) => [start, end]);
    expect(backwards.toReversed()).toEqual(positions);
  });

  test("of a few entries does not read the whole file", async () => {
    const line = `${JSON.stringify({ n: 1, text: "x".repeat(1000) })}\n`;
    writeFileSync(path("v.jsonl"), line.repeat(5000));
    const read = spyOn(fs, "readSync");
    spies.push(read);
    await log().list({ limit: 3 });
    await log().list({ limit: 3, newestFirst: true });
    expect(read.mock.results.reduce((sum, result) => sum + (result.value as number), 0)).toBeLessThan(
      200_000,
    );
  });

  test("lets other work run between blocks", async () => {
    const line = `${JSON.stringify({ n: 1, text: "x".repeat(1000) })}\n`;
    writeFileSync(path("v.jsonl"), line.repeat(1000));
    let ended = false;
    let turns = 0;
    const other = (async () => {
      for (; !ended; turns++) await new Promise(setImmediate);
    })();
    await log().list();
    ended = true;
    await other;
    expect(turns).toBeGreaterThan(5);
  });

  test("is refused when the file is replaced meanwhile", async () => {
    const line = `${JSON.stringify({ n: 1, text: "x".repeat(1000) })}\n`;
    writeFileSync(path("v.jsonl"), line.repeat(1000));
    const reading = log().read();
    await reading.next();
    fs.renameSync(path("v.jsonl"), path("moved"));
    writeFileSync(path("v.jsonl"), line.repeat(1000));
    await expect(entries(reading)).rejects.toThrow("was replaced or cut");
  });
});

describe("a torn last line", () => {
  test.each(['{"n":2,"te', "12", "garbage", "\0\0\0\0", '{"n":"é'.slice(0, -1)])(
    "of %j is cut off, set aside and reported",
    async (torn) => {
      writeFileSync(path("v.jsonl"), `{"n":1}\n${torn}`);
      const file = log();
      await file.append({ n: 3 });
      expect(await numbers(file)).toEqual([1, 3]);
      const [report] = reports as [StorageReport];
      expect(reports).toHaveLength(1);
      expect(report).toMatchObject({ kind: "torn-line", path: path("v.jsonl"), position: 8 });
      expect(readFileSync(report.setAside as string, "utf8")).toBe(torn);
      expect(report.message).toContain(report.setAside as string);
    },
  );

  test("is recovered by open, and a whole entry that lacks its newline is kept", () => {
    writeFileSync(path("v.jsonl"), '{"n":1}\n{"n":2}');
    log().open();
    expect(onDisk()).toBe('{"n":1}\n{"n":2}\n');
    appendFileSync(path("v.jsonl"), '{"n":');
    log().open();
    expect(onDisk()).toBe('{"n":1}\n{"n":2}\n');
    expect(reports).toHaveLength(1);
  });

  test("is not shown by a read that comes first", async () => {
    writeFileSync(path("v.jsonl"), '{"n":1}\n{"n":2,');
    expect(await numbers(log())).toEqual([1]);
    expect(await numbers(log(), { newestFirst: true })).toEqual([1]);
    expect(reports).toEqual([]);
  });

  test("longer than a block is moved whole", () => {
    const torn = `{"text":"${"x".repeat(3_000_000)}`;
    writeFileSync(path("v.jsonl"), `{"n":1}\n${torn}`);
    log().open();
    expect(onDisk()).toBe('{"n":1}\n');
    expect(statSync(reports[0]?.setAside as string).size).toBe(torn.length);
  });

  test("stays where it is while there is no space to set it aside, and leaves no half copies", async () => {
    const torn = `{"text":"${"x".repeat(3_000_000)}`;
    writeFileSync(path("v.jsonl"), torn);
    const { writeSync } = fs;
    let written = 0;
    const full = spyOn(fs, "writeSync").mockImplementation(((fd: number, ...rest: [Uint8Array]) => {
      if (written > 0) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
      written += writeSync(fd, ...rest);
      return written;
    }) as never);
    spies.push(full);
    for (let attempt = 0; attempt < 3; attempt++) {
      written = 0;
      await expect(log().append({ n: 1 })).rejects.toMatchObject({ code: "STORAGE_FULL" });
    }
    expect([names(), onDisk() === torn]).toEqual([["v.jsonl"], true]);
    full.mockRestore();
    await log().append({ n: 1 });
    expect(onDisk()).toBe('{"n":1}\n');
  });

  test("that is the whole file leaves an empty one", async () => {
    writeFileSync(path("v.jsonl"), "no line at all");
    const file = log().open();
    expect(await numbers(file)).toEqual([]);
    expect(readFileSync(reports[0]?.setAside as string, "utf8")).toBe("no line at all");
  });
});

describe("an unreadable line in the middle", () => {
  const damaged = Buffer.concat([
    Buffer.from('{"n":1}\n{"n":\n\n'),
    Buffer.from([0x22, 0xff, 0x22, 0x0a]),
    Buffer.from('{"n":4}\n'),
  ]);

  test.each([false, true])(
    "is skipped, reported once and stays on disk (newestFirst: %p)",
    async (newestFirst) => {
      writeFileSync(path("v.jsonl"), damaged);
      const file = log();
      expect((await numbers(file, { newestFirst })).toSorted()).toEqual([1, 4]);
      await numbers(file);
      expect(reports).toMatchObject([
        { kind: "corrupt-lines", position: 8, message: expect.stringContaining("2 lines") },
      ]);
      await file.append({ n: 5 });
      expect(readFileSync(path("v.jsonl")).subarray(0, damaged.length)).toEqual(damaged);
    },
  );

  test("is reported too when the reader stops early", async () => {
    writeFileSync(path("v.jsonl"), damaged);
    await numbers(log(), { limit: 2 });
    expect(reports).toHaveLength(1);
  });
});

describe("flush and close", () => {
  test("flush writes before it returns", () => {
    const file = log();
    void file.append({ n: 1 });
    file.flush();
    expect(onDisk()).toBe('{"n":1}\n');
  });

  test("close writes what is queued, can be repeated, and ends all use", async () => {
    const file = log();
    const append = file.append({ n: 1 });
    file.close();
    file.close();
    await append;
    expect(onDisk()).toBe('{"n":1}\n');
    const closed = { code: "STORAGE_CLOSED" };
    await expect(file.append({ n: 2 })).rejects.toMatchObject(closed);
    await expect(file.list()).rejects.toMatchObject(closed);
    expect(() => file.open()).toThrow("it is closed");
  });
});

test("a file that cannot be opened is an error", async () => {
  fs.mkdirSync(path("v.jsonl"));
  await expect(log().append({ n: 1 })).rejects.toMatchObject({ code: "STORAGE_IO" });
  await expect(log().list()).rejects.toMatchObject({ code: "STORAGE_IO" });
  rmSync(path("v.jsonl"), { recursive: true });
});

async function entries(reading: AsyncGenerator<JsonlEntry<Visit>>): Promise<JsonlEntry<Visit>[]> {
  const all: JsonlEntry<Visit>[] = [];
  for await (const entry of reading) all.push(entry);
  return all;
}

test("a pipe is no file, and is neither waited for nor written to", async () => {
  makePipe(path("v.jsonl"));
  const refusal = { code: "STORAGE_IO", message: expect.stringContaining("not a regular file") };
  await expect(log().append({ n: 1 })).rejects.toMatchObject(refusal);
  await expect(log().list()).rejects.toMatchObject(refusal);
  expect(() => log().open()).toThrow("not a regular file");
  expect(names()).toEqual(["v.jsonl"]);
});
