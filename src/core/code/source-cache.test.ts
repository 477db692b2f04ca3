import { afterEach, beforeEach, expect, setSystemTime, test } from "bun:test";
import { readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "../../../tests/support/sandbox.js";
import { LogBook } from "../log.js";
import { contentDigest } from "./digest.js";
import { listedFiles } from "./listings.js";
import { SourceCache } from "./source-cache.js";

let sandbox: Sandbox;
let dir: string;
let warnings: string[];
const path = () => join(sandbox.dataDir, ".reef", "sources.json");
const open = () =>
  new SourceCache(sandbox.dataDir, new LogBook(({ text }) => warnings.push(text)).logger("reef"));
/** What is on disk, as folder and digest. */
const remembered = () =>
  (JSON.parse(readFileSync(path(), "utf8")) as [string, [string, string]][]).map(([name, [, digest]]) => [
    name,
    digest,
  ]);
/** Later than the grain in which changes show, and than the time after which lists are kept. */
const settle = () => setSystemTime(Date.now() + 5000);

beforeEach(() => {
  warnings = [];
  sandbox = new Sandbox({ "s/index.ts": "1", "s/lib/a.ts": "2" });
  dir = join(sandbox.servicesDir, "s");
  settle();
});
afterEach(() => {
  setSystemTime();
  sandbox.remove();
});

async function remember(): Promise<void> {
  const memory = open();
  memory.read("s", dir);
  memory.save();
}

test("an unchanged folder has the digest that was remembered, without its files being read", async () => {
  await remember();
  // Only a memory that is believed can tell this one.
  writeFileSync(path(), readFileSync(path(), "utf8").replace(contentDigest(dir), "told"));
  expect(open().read("s", dir).digest).toBe("told");
});

test.each<[string, () => void]>([
  ["another content of the same size", () => writeFileSync(join(dir, "lib", "a.ts"), "3")],
  ["a new file", () => writeFileSync(join(dir, "b.ts"), "")],
  ["another time", () => utimesSync(join(dir, "index.ts"), 1, 1)],
])("%s makes it be read again", async (_what, change) => {
  await remember();
  writeFileSync(path(), readFileSync(path(), "utf8").replace(contentDigest(dir), "told"));
  change();
  expect(open().read("s", dir).digest).toBe(contentDigest(dir));
});

test("what changed a moment ago is not remembered, since a further change might not show", () => {
  setSystemTime();
  writeFileSync(join(dir, "index.ts"), "4");
  const memory = open();
  expect(memory.read("s", dir).fingerprint.fresh).toBe(true);
  memory.save();
  expect(() => readFileSync(path())).toThrow("ENOENT");
});

test("folders that are gone are forgotten", async () => {
  await remember();
  const other = join(sandbox.servicesDir, "t");
  sandbox.write("services/t/index.ts", "1");
  settle();
  const memory = open();
  memory.read("t", other);
  memory.save();
  expect(remembered()).toEqual([["t", contentDigest(other)]]);
});

test.each([
  "{",
  '{"s":1}',
  "[[1]]",
  '[["s",["x"]]]',
  '[["s",["x","y",{"files":[]}]]]',
  '[["s",["x","y",null]]]',
])("a damaged memory (%s) is reported and costs reading", async (text) => {
  await remember();
  writeFileSync(path(), text);
  const memory = open();
  expect(memory.read("s", dir).digest).toBe(contentDigest(dir));
  expect(warnings).toHaveLength(1);
  memory.save();
  expect(remembered()).toEqual([["s", contentDigest(dir)]]);
});

test("the list of a folder's files is remembered too, and believed while the folder stays as it was", async () => {
  await remember();
  const told = JSON.parse(readFileSync(path(), "utf8"));
  told[0][1][2].files.push("told.ts");
  writeFileSync(path(), JSON.stringify(told));
  expect(open().read("s", dir).digest).toBe(contentDigest(dir));
  open().read("s", dir);
  expect(listedFiles(dir)).toEqual(["index.ts", "lib/a.ts", "told.ts"]);
  writeFileSync(join(dir, "b.ts"), "");
  open().read("s", dir);
  expect(listedFiles(dir)).toEqual(["b.ts", "index.ts", "lib/a.ts"]);
});

test("a list that came to be known since the last start is written down, though nothing has changed", async () => {
  await remember();
  const whole = readFileSync(path(), "utf8");
  writeFileSync(
    path(),
    JSON.stringify(JSON.parse(whole).map(([name, entry]: [string, unknown[]]) => [name, entry.slice(0, 2)])),
  );
  await remember();
  expect(JSON.parse(readFileSync(path(), "utf8"))).toEqual(JSON.parse(whole));
});

test.each<[string, unknown]>([
  ["a name that is too long", ["a".repeat(5000)]],
  ["a name that can be none", ["a\0b"]],
  ["something else than names", [{ toString: 1 }]],
])("a list with %s costs reading", async (_what, names) => {
  await remember();
  const [[name, [stamp, digest, listing]]] = JSON.parse(readFileSync(path(), "utf8"));
  for (const key of ["files", "folders"]) {
    writeFileSync(path(), JSON.stringify([[name, [stamp, digest, { ...listing, [key]: names }]]]));
    expect(open().read("s", dir).digest).toBe(contentDigest(dir));
  }
});

test("saving never throws, whatever has become of a folder", async () => {
  const memory = open();
  memory.read("s", dir);
  rmSync(dir, { recursive: true });
  symlinkSync("s", dir);
  memory.save();
  expect(warnings).toEqual([]);
});

test("a memory that cannot be written is a warning", async () => {
  sandbox.write("data/.reef", "a file");
  await remember();
  expect(warnings.at(-1)).toContain("sources.json");
});
