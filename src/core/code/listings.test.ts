import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "../../../tests/support/sandbox.js";
import { codeFiles } from "./code-files.js";
import { contentDigest, fingerprint } from "./digest.js";
import { cacheListing, type Listing, listedFiles, relist, validListing } from "./listings.js";

let sandbox: Sandbox;
let dir: string;
/** Later than the clock's tick, in which changes do not show. */
const settle = () => Bun.sleep(30);
/** When what has just been written is old enough for a list to be kept. */
const later = () => Date.now() + 10_000;

beforeEach(async () => {
  sandbox = new Sandbox({ "s/index.ts": "1", "s/lib/a.ts": "2" });
  dir = join(sandbox.servicesDir, "s");
  await settle();
});
afterEach(() => sandbox.remove());

/** Keeps a list that is wrong, for only one that is believed can tell so. */
function tell(files = ["told.ts"]): void {
  relist(dir, later());
  cacheListing(dir, { ...(validListing(dir) as Listing), files });
}

test("the list of a folder that stays as it was is kept", () => {
  expect(listedFiles(dir)).toEqual(["index.ts", "lib/a.ts"]);
  tell();
  expect(listedFiles(dir)).toEqual(["told.ts"]);
});

test("a change of a file's content leaves the list", () => {
  tell();
  writeFileSync(join(dir, "lib", "a.ts"), "3");
  expect(listedFiles(dir)).toEqual(["told.ts"]);
});

const inDir = (...path: string[]) => join(dir, ...path);
const CHANGES: [string, () => void][] = [
  ["a file that comes", () => writeFileSync(inDir("b.ts"), "")],
  ["a file that comes in a folder", () => writeFileSync(inDir("lib", "b.ts"), "")],
  ["a file that goes", () => rmSync(inDir("lib", "a.ts"))],
  ["a file under another name", () => renameSync(inDir("index.ts"), inDir("main.ts"))],
  ["a folder that comes", () => mkdirSync(inDir("more"))],
  ["a folder that goes", () => rmSync(inDir("lib"), { recursive: true })],
  ["a folder under another name", () => renameSync(inDir("lib"), inDir("parts"))],
  ["a link that comes", () => symlinkSync("lib", inDir("near"))],
  ["another folder in its place", () => exchange(inDir("lib"), { "z.ts": "" })],
  ["another service in its place", () => exchange(dir, { "index.ts": "", "z.ts": "" })],
  ["a link to itself in the place of a folder", () => linkTo(inDir("lib"), "lib")],
  ["a link through a file in the place of a folder", () => linkTo(inDir("lib"), "index.ts/deeper")],
  ["a file in the place of a folder", () => writeOver(inDir("lib"))],
];

function exchange(path: string, by: Record<string, string>): void {
  rmSync(path, { recursive: true });
  mkdirSync(path);
  for (const [name, text] of Object.entries(by)) writeFileSync(join(path, name), text);
}

function linkTo(path: string, target: string): void {
  rmSync(path, { recursive: true });
  symlinkSync(target, path);
}

function writeOver(path: string): void {
  rmSync(path, { recursive: true });
  writeFileSync(path, "text");
}

test.each(CHANGES)("%s makes it be looked through again", (_what, change) => {
  tell();
  change();
  expect(listedFiles(dir)).toEqual(codeFiles(dir));
});

test("a folder that was moved away and back at another time is looked through again", () => {
  tell();
  renameSync(dir, `${dir}-away`);
  expect(validListing(dir)).toBeUndefined();
  renameSync(`${dir}-away`, dir);
  expect(listedFiles(dir)).toEqual(["index.ts", "lib/a.ts"]);
});

test("of very many lists, those that were kept first are forgotten", () => {
  tell();
  const listing = validListing(dir) as Listing;
  for (let n = 0; n < 10_000; n++) cacheListing(`/nowhere/${n}`, listing);
  expect(listedFiles(dir)).toEqual(["index.ts", "lib/a.ts"]);
});

test("a list is not kept where a folder changed a moment ago, since a further change might not show", () => {
  writeFileSync(inDir("b.ts"), "");
  relist(dir);
  expect(validListing(dir)).toBeUndefined();
});

test("nor where there are links, which may lead elsewhere without it showing", async () => {
  symlinkSync("lib", inDir("near"));
  await settle();
  expect(relist(dir, later())).toContain("near/a.ts");
  expect(validListing(dir)).toBeUndefined();
});

test("a service's folder may be a link, and lead elsewhere later", async () => {
  const link = join(sandbox.root, "link");
  sandbox.write("other/index.ts", "");
  symlinkSync(dir, link);
  await settle();
  expect(relist(link, later())).toEqual(["index.ts", "lib/a.ts"]);
  expect(validListing(link)).toBeDefined();
  rmSync(link);
  symlinkSync(join(sandbox.root, "other"), link);
  expect(listedFiles(link)).toEqual(["index.ts"]);
});

test.each<[string, () => void, boolean]>([
  ["nothing but files", () => rmSync(inDir("lib"), { recursive: true }), true],
  ["a folder of code", () => undefined, false],
  ["packages, which are no code", () => renameSync(inDir("lib"), inDir("node_modules")), false],
])("it is known whether there are files only: %s", (_what, change, isFlat) => {
  change();
  relist(dir, later());
  expect(validListing(dir)?.isFlat).toBe(isFlat);
});

describe("what is made from it", () => {
  test("a digest never comes from a list that is kept", () => {
    const right = contentDigest(dir);
    tell();
    expect(contentDigest(dir)).toBe(right);
  });

  test("a fingerprint shows what came, went and changed", () => {
    const seen = new Set([fingerprint(dir).text]);
    const changes = [
      () => writeFileSync(inDir("b.ts"), ""),
      () => writeFileSync(inDir("lib", "a.ts"), "33"),
      () => utimesSync(inDir("index.ts"), 1, 1),
      () => rmSync(inDir("b.ts")),
    ];
    for (const change of changes) {
      change();
      seen.add(fingerprint(dir).text);
    }
    expect(seen.size).toBe(changes.length + 1);
  });
});
