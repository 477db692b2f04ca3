import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { rmSync, symlinkSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { Sandbox } from "../../tests/support/sandbox.js";
import { contentDigest, fingerprint } from "./digest.js";

let sandbox: Sandbox;
let dir: string;
beforeEach(() => {
  sandbox = new Sandbox({ "s/index.ts": "1", "s/lib/deep/a.ts": "2", "s/page.html": "3" });
  dir = join(sandbox.servicesDir, "s");
  const file = sandbox.write("elsewhere/x.ts", "1");
  symlinkSync(dirname(file), join(dir, "linked"));
});
afterEach(() => sandbox.remove());

const write = (path: string, text: string) => sandbox.write(join("services", "s", path), text);

describe("contentDigest", () => {
  test("stays when nothing changed, whatever the times say", () => {
    const before = contentDigest(dir);
    utimesSync(join(dir, "index.ts"), 1, 1);
    write("data/d.json", "x");
    expect(contentDigest(dir)).toBe(before);
  });

  test.each<[string, () => void]>([
    ["content changes", () => void write("lib/deep/a.ts", "4")],
    ["a file is added", () => void write("new.ts", "")],
    ["a file is removed", () => rmSync(join(dir, "page.html"))],
    ["content moves between files", () => [write("index.ts", "3"), write("page.html", "1")]],
    ["content behind a linked folder changes", () => void sandbox.write("elsewhere/x.ts", "2")],
    ["a file is renamed", () => [rmSync(join(dir, "page.html")), write("pages.html", "3")]],
  ])("changes when %s", (_what, change) => {
    const before = contentDigest(dir);
    change();
    expect(contentDigest(dir)).not.toBe(before);
  });

  test("cannot be confused by moving bytes from one file to the next", () => {
    write("a", "xx");
    write("b", "y");
    const before = contentDigest(dir);
    write("a", "x");
    write("b", "xy");
    expect(contentDigest(dir)).not.toBe(before);
  });

  test("is not changed by a link that leads nowhere", () => {
    const before = contentDigest(dir);
    symlinkSync("nowhere", join(dir, "dangling"));
    expect(contentDigest(dir)).toBe(before);
  });
});

describe("fingerprint", () => {
  test("stays when nothing changed and changes with any file", () => {
    const before = fingerprint(dir).text;
    expect(fingerprint(dir).text).toBe(before);
    write("lib/deep/a.ts", "longer");
    expect(fingerprint(dir).text).not.toBe(before);
  });

  test("is fresh while a further change could hide behind the same time stamp", () => {
    const written = Date.now();
    write("index.ts", "5");
    expect(fingerprint(dir, written).fresh).toBe(true);
    expect(fingerprint(dir, written + 60_000).fresh).toBe(false);
  });
});
