import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fs, {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
} from "node:fs";
import promises from "node:fs/promises";
import { join } from "node:path";
import { Sandbox } from "../../../tests/support/sandbox.js";
import { LogBook } from "../log.js";
import { contentDigest } from "./digest.js";
import { Snapshots } from "./snapshots.js";

let sandbox: Sandbox;
let snapshots: Snapshots;
let warnings: string[];
let dir: string;
beforeEach(() => {
  sandbox = new Sandbox({ "a/index.ts": "one", "a/lib/x.ts": "x", "a/run.sh": "#!/bin/sh" });
  dir = join(sandbox.servicesDir, "a");
  chmodSync(join(dir, "run.sh"), 0o755);
  warnings = [];
  snapshots = new Snapshots(sandbox.dataDir, new LogBook(({ text }) => warnings.push(text)).logger("reef"));
});
afterEach(() => sandbox.remove());

const write = (path: string, text: string) => sandbox.services({ [`a/${path}`]: text });
const read = (path: string) => readFileSync(join(dir, path), "utf8");
/** Writes a version of the folder and keeps it. */
async function keep(text: string): Promise<string> {
  write("index.ts", text);
  const digest = contentDigest(dir);
  await snapshots.keep("a", dir, digest);
  return digest;
}

async function keepAll(texts: string[]): Promise<string[]> {
  const digests: string[] = [];
  for (const text of texts) digests.push(await keep(text));
  return digests;
}

test("versions are listed latest first; one that serves again moves to the front", async () => {
  expect(snapshots.list("a")).toEqual([]);
  const [one, two] = [await keep("one"), await keep("two")];
  expect(snapshots.list("a").map(({ digest }) => digest)).toEqual([two, one]);
  await keep("one");
  expect(snapshots.list("a")).toEqual([
    { digest: one, keptAt: expect.stringMatching(/Z$/), served: true },
    { digest: two, keptAt: expect.stringMatching(/Z$/), served: true },
  ]);
  expect(snapshots.list("b")).toEqual([]);
});

test("the latest five are kept, on disk too", async () => {
  const digests = await keepAll(["1", "2", "3", "4", "5", "6", "7"]);
  expect(snapshots.list("a").map(({ digest }) => digest)).toEqual(digests.slice(2).reverse());
  const kept = readdirSync(join(sandbox.dataDir, ".reef", "snapshots", "a")).filter(
    (name) => name !== "index.json",
  );
  expect(kept.toSorted()).toEqual(digests.slice(2).toSorted());
});

test("a folder that has changed since is not kept as what it was", async () => {
  const digest = contentDigest(dir);
  write("index.ts", "changed meanwhile");
  await snapshots.keep("a", dir, digest);
  expect(snapshots.list("a")).toEqual([]);
});

test("a folder that has come to hold too much since is not copied", async () => {
  const digest = contentDigest(dir);
  write("model.bin", "");
  truncateSync(join(dir, "model.bin"), 2 ** 30);
  const copy = spyOn(promises, "copyFile");
  try {
    await snapshots.keep("a", dir, digest);
    expect(copy).not.toHaveBeenCalled();
  } finally {
    copy.mockRestore();
  }
  expect(warnings.join()).toContain("model.bin");
  expect(snapshots.list("a")).toEqual([]);
});

describe("restore", () => {
  test("writes changed and missing files, removes others, keeps modes", async () => {
    const one = await keep("one");
    write("index.ts", "two");
    write("new.ts", "new");
    rmSync(join(dir, "lib"), { recursive: true });
    rmSync(join(dir, "run.sh"));
    snapshots.restore("a", dir, one);
    expect([read("index.ts"), read("lib/x.ts"), existsSync(join(dir, "new.ts"))]).toEqual([
      "one",
      "x",
      false,
    ]);
    expect(statSync(join(dir, "run.sh")).mode & 0o777).toBe(0o755);
    expect(contentDigest(dir)).toBe(one);
  });

  test("leaves data, packages and dot-files alone", async () => {
    const one = await keep("one");
    for (const path of ["data/store.json", "node_modules/p/i.js", ".env"]) write(path, "kept");
    write("index.ts", "two");
    snapshots.restore("a", dir, one);
    for (const path of ["data/store.json", "node_modules/p/i.js", ".env"]) expect(read(path)).toBe("kept");
  });

  test("of a version that is not kept fails and changes nothing", () => {
    write("index.ts", "two");
    expect(() => snapshots.restore("a", dir, "0".repeat(64))).toThrow();
    expect(read("index.ts")).toBe("two");
  });
});

test("setting aside keeps code that never served, and says so", async () => {
  const one = await keep("one");
  write("index.ts", "broken");
  const aside = await snapshots.setAside("a", dir, one);
  expect(snapshots.list("a").map(({ digest, served }) => [digest, served])).toEqual([
    [aside, false],
    [one, true],
  ]);
  snapshots.restore("a", dir, one);
  snapshots.restore("a", dir, aside);
  expect(read("index.ts")).toBe("broken");
});

test("what was set aside is on disk: its files, and the folders that name them", async () => {
  const open = spyOn(promises, "open");
  const openFolder = spyOn(fs, "openSync");
  try {
    const copy = join(sandbox.dataDir, ".reef/snapshots/a", await snapshots.setAside("a", dir, ""));
    const synced = [...open.mock.calls, ...openFolder.mock.calls].map(([path]) => path as string);
    const paths = ["index.ts", "lib/x.ts", "run.sh", "lib", "", ".."].map((path) => join(copy, path));
    expect(synced).toEqual(expect.arrayContaining(paths.map((path) => path.replace(/\/$/, ""))));
  } finally {
    for (const spy of [open, openFolder]) spy.mockRestore();
  }
});

test("the first copy of a folder says as well whether it served", async () => {
  expect(await snapshots.setAside("a", dir, "")).toBe(contentDigest(dir));
  expect(snapshots.list("a")).toMatchObject([{ served: false }]);
});

test("copies of one folder that are asked for at once are made one after the other", async () => {
  const digest = contentDigest(dir);
  const keeping = snapshots.keep("a", dir, digest);
  expect(await snapshots.setAside("a", dir, digest)).toBe(digest);
  await keeping;
  expect(warnings).toEqual([]);
  expect(snapshots.list("a")).toMatchObject([{ digest, served: true }]);
});

test("setting aside does not drop the version that is about to be restored, however old it is", async () => {
  const [oldest] = await keepAll(["1", "2", "3", "4", "5"]);
  write("index.ts", "broken");
  await snapshots.setAside("a", dir, oldest as string);
  expect(snapshots.list("a").map(({ digest }) => digest)).toContain(oldest as string);
  snapshots.restore("a", dir, oldest as string);
  expect(read("index.ts")).toBe("1");
});

describe("a damaged list", () => {
  const folder = () => join(sandbox.dataDir, ".reef/snapshots/a");
  const digests = () => snapshots.list("a").map(({ digest }) => digest);
  const asides = () => readdirSync(folder()).filter((name) => name.startsWith("index.json.corrupt-"));

  test.each(["", "{", "7", "[7]", '[{"digest": "../x", "keptAt": "", "served": true}]'])(
    "(%p) is set aside and reported, and the copies are found again",
    async (content) => {
      const [one = "", two = ""] = await keepAll(["one", "two"]);
      utimesSync(join(folder(), one), 1, 1);
      utimesSync(join(folder(), two), 2, 2);
      sandbox.write("data/.reef/snapshots/a/two.unfinished/index.ts", "");
      sandbox.write("data/.reef/snapshots/a/index.json", content);
      expect(snapshots.list("a")).toEqual([
        { digest: two, keptAt: "1970-01-01T00:00:02.000Z", served: true },
        { digest: one, keptAt: "1970-01-01T00:00:01.000Z", served: true },
      ]);
      const [aside = ""] = asides();
      expect(readFileSync(join(folder(), aside), "utf8")).toBe(content);
      expect(warnings).toEqual([expect.stringContaining(aside)]);
      expect([await keep("three"), two, one]).toEqual(digests());
      expect([asides().length, warnings.length]).toEqual([1, 1]);
    },
  );

  test("that cannot be set aside is not overwritten", async () => {
    await keep("one");
    sandbox.write("data/.reef/snapshots/a/index.json", "{");
    const rename = spyOn(fs, "renameSync").mockImplementation(() => {
      throw new Error("no");
    });
    try {
      expect(snapshots.list("a")).toEqual([]);
      await keep("two");
    } finally {
      rename.mockRestore();
    }
    expect(readFileSync(join(folder(), "index.json"), "utf8")).toBe("{");
    expect(warnings.join()).toContain("left in place");
  });
});

test("a full disk is reported as such, and what was half copied gives its room back", async () => {
  const one = await keep("one");
  write("index.ts", "two");
  const copy = spyOn(promises, "copyFile");
  try {
    copy.mockRejectedValue(Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" }));
    await expect(snapshots.setAside("a", dir, one)).rejects.toMatchObject({ code: "STORAGE_FULL" });
  } finally {
    copy.mockRestore();
  }
  expect(readdirSync(join(sandbox.dataDir, ".reef/snapshots/a")).toSorted()).toEqual([one, "index.json"]);
  expect(await snapshots.setAside("a", dir, one)).toBe(contentDigest(dir));
});
