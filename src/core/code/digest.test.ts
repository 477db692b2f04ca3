import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fs, { rmSync, symlinkSync, truncateSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { Sandbox } from "../../../tests/support/sandbox.js";
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

describe("a large file", () => {
  test("has the digest that it has when it is read as a whole, whatever its size", () => {
    for (const path of ["lib", "linked", "page.html"]) rmSync(join(dir, path), { recursive: true });
    for (const size of [2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 2.5 * 2 ** 20]) {
      const text = "0123456789abcde".repeat(size).slice(0, size);
      write("index.ts", text);
      const whole = new Bun.CryptoHasher("sha256").update(`index.ts\0${size}\0${text}`).digest("hex");
      expect(contentDigest(dir)).toBe(whole);
    }
  });

  test("is never held as a whole", () => {
    truncateSync(write("model.bin", ""), 5 * 2 ** 20);
    const pieces = spyOn(fs, "readSync");
    const wholes = spyOn(fs, "readFileSync");
    try {
      contentDigest(dir);
      expect(wholes.mock.calls.map(([path]) => String(path)).join()).not.toContain("model.bin");
      expect(new Set(pieces.mock.calls.map(([, piece]) => piece.byteLength))).toEqual(new Set([2 ** 20]));
    } finally {
      for (const spy of [pieces, wholes]) spy.mockRestore();
    }
  });

  test("that makes the code too large is named before anything is read", () => {
    truncateSync(write("lib/model.bin", ""), 1.5 * 2 ** 30);
    const reads = [spyOn(fs, "readFileSync"), spyOn(fs, "openSync")];
    try {
      expect(() => contentDigest(dir)).toThrow(
        /1537 MB of code.*256 MB.*lib\/model\.bin \(1536 MB\).*"data"/,
      );
      for (const read of reads) expect(read).not.toHaveBeenCalled();
    } finally {
      for (const spy of reads) spy.mockRestore();
    }
  });

  test("in the folder's own data is nobody's business", () => {
    const before = contentDigest(dir);
    truncateSync(write("data/model.bin", ""), 1.5 * 2 ** 30);
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
