import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Files, Sandbox } from "../../../tests/support/sandbox.js";
import { codeFiles } from "../code/code-files.js";
import { restoreCode } from "./restore.js";

let sandbox: Sandbox;
let dir: string;
let elsewhere: string;
beforeEach(() => {
  sandbox = new Sandbox();
  dir = join(sandbox.servicesDir, "a");
  elsewhere = join(sandbox.root, "elsewhere");
  folder({});
});
afterEach(() => sandbox.remove());

/** Makes the service's folder anew. A value that begins with `→` is a link. */
function folder(content: Files): void {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  for (const [path, text] of Object.entries(content)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    if (text.startsWith("→")) symlinkSync(text.slice(1), join(dir, path));
    else sandbox.write(join("services/a", path), text);
  }
}

/** Returns where folders are now that gave way. */
function restore(kept: Files): string[] {
  const from = join(sandbox.root, "kept");
  mkdirSync(from);
  for (const [path, text] of Object.entries(kept)) sandbox.write(join("kept", path), text);
  return restoreCode(from, dir).flatMap(({ aside }) => aside ?? []);
}

const code = () =>
  Object.fromEntries(codeFiles(dir).map((path) => [path, readFileSync(join(dir, path), "utf8")]));
const isLink = (path: string) => lstatSync(join(dir, path)).isSymbolicLink();
const outside = (path: string) => readFileSync(join(elsewhere, path), "utf8");

describe("a path that was", () => {
  test.each<[string, Files, Files]>([
    ["a file and is a folder", { "x/deep/y.ts": "y", "x/z.ts": "z" }, { x: "x" }],
    ["a folder and is a file", { x: "x" }, { "x/deep/y.ts": "y", "x/z.ts": "z" }],
  ])("%s is put right, in the place of a link as well", (_what, now, kept) => {
    folder({ ...now, link: "→x" });
    const all = (files: Files) =>
      Object.fromEntries(
        Object.entries(files).flatMap(([path, text]) => [
          [path, text],
          [path.replace("x", "link"), text],
        ]),
      );
    expect(restore(all(kept))).toEqual([]);
    expect(code()).toEqual(all(kept));
    expect(isLink("link")).toBe(true);
    expect(readdirSync(dir)).toEqual(expect.arrayContaining(["link", "x"]));
    expect(readdirSync(dir)).toHaveLength(2);
  });

  test("a file, and is a folder with more than code, keeps the rest aside", () => {
    folder({ "x/y.ts": "y", "x/.env": "secret", "x/node_modules/p/i.js": "p", "x/deep/.keep": "" });
    const [aside = "", ...others] = restore({ x: "x" });
    expect([code(), others]).toEqual([{ x: "x" }, []]);
    expect(aside).toStartWith(join(dir, ".x.replaced-"));
    expect(readFileSync(join(aside, ".env"), "utf8")).toBe("secret");
    expect(readdirSync(aside).sort()).toEqual([".env", "deep", "node_modules"]);
  });

  test("a folder with more than code has it again when not all can be restored", () => {
    folder({ "x/y.ts": "y", "x/.env": "secret", "z.ts.tmp/.keep": "" });
    expect(() => restore({ x: "x", "z.ts": "z" })).toThrow("z.ts");
    expect(readdirSync(dir).sort()).toEqual(["x", "z.ts.tmp"]);
    expect(readFileSync(join(dir, "x/.env"), "utf8")).toBe("secret");
  });
});

describe("a link", () => {
  beforeEach(() => {
    sandbox.write("elsewhere/x.ts", "x");
    sandbox.write("elsewhere/deep/y.ts", "y");
    sandbox.write("elsewhere/.env", "secret");
  });
  afterEach(() => {
    expect([outside("x.ts"), outside("deep/y.ts"), outside(".env")]).toEqual(["x", "y", "secret"]);
  });

  test("stays where what is behind it is what was kept", () => {
    folder({ "index.ts": "two", lib: `→${elsewhere}`, "x.ts": "→lib/x.ts", gone: "→nowhere", me: "→." });
    const kept = { "index.ts": "one", "lib/deep/y.ts": "y", "lib/x.ts": "x", "x.ts": "x" };
    restore(kept);
    expect(code()).toEqual(kept);
    expect(["lib", "x.ts", "gone", "me"].map(isLink)).toEqual([true, true, true, true]);
  });

  test.each<[string, Files]>([
    ["differs", { "lib/deep/y.ts": "before", "lib/x.ts": "x" }],
    ["is more", { "lib/x.ts": "x" }],
    ["is less", { "lib/deep/y.ts": "y", "lib/x.ts": "x", "lib/z.ts": "z" }],
    ["was a file", { lib: "file" }],
    ["was not there", {}],
  ])("to a folder gives way to what was kept where that %s", (_how, kept) => {
    folder({ lib: `→${elsewhere}` });
    restore(kept);
    expect(code()).toEqual(kept);
  });

  test.each<[string, Files]>([
    ["differs", { "x.ts": "before" }],
    ["was a folder", { "x.ts/y.ts": "y" }],
    ["was not there", {}],
  ])("to a file gives way to what was kept where that %s", (_how, kept) => {
    folder({ "x.ts": `→${elsewhere}/x.ts` });
    restore(kept);
    expect(code()).toEqual(kept);
  });

  test("to a folder of one file gives way to a file", () => {
    folder({ x: `→${elsewhere}/deep` });
    restore({ x: "x" });
    expect(code()).toEqual({ x: "x" });
  });

  test.each(["nowhere", ".", "x.ts", "data"])("to %p gives way to what was kept in its place", (target) => {
    folder({ "x.ts": `→${target}`, "lib/y.ts": `→../${target}`, "data/z": "z" });
    const kept = { "lib/y.ts/z": "z", "x.ts": "x" };
    restore(kept);
    expect(code()).toEqual(kept);
    expect(readFileSync(join(dir, "data/z"), "utf8")).toBe("z");
  });

  test("within the folder follows what is restored", () => {
    folder({ alias: "→lib", "lib/x.ts": "two", "lib/new.ts": "new" });
    restore({ "alias/x.ts": "one", "lib/x.ts": "one" });
    expect(code()).toEqual({ "alias/x.ts": "one", "lib/x.ts": "one" });
    expect(isLink("alias")).toBe(true);
  });

  test("that leads through one that gave way is looked at again", () => {
    folder({ a: "→b/deep", b: `→${elsewhere}` });
    const kept = { "a/y.ts": "y", "b/deep/y.ts": "before" };
    restore(kept);
    expect(code()).toEqual(kept);
  });
});
