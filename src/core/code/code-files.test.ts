import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { Sandbox } from "../../../tests/support/sandbox.js";
import { assertSize, codeFiles, MAX_BYTES } from "./code-files.js";

let sandbox: Sandbox;
let dir: string;
beforeEach(() => {
  sandbox = new Sandbox({ "s/index.ts": "1", "s/lib/deep/a.ts": "2", "s/page.html": "3" });
  dir = join(sandbox.servicesDir, "s");
});
afterEach(() => sandbox.remove());

const CODE = ["index.ts", "lib/deep/a.ts", "page.html"];
const write = (path: string, text = "x") => sandbox.write(join("services", "s", path), text);
const link = (target: string, path: string) => {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  symlinkSync(target, join(dir, path));
};

describe("codeFiles", () => {
  test("lists files of all folders, sorted", () => {
    expect(codeFiles(dir)).toEqual(CODE);
  });

  test("leaves out packages, data and dot-files", () => {
    for (const path of [
      "node_modules/x/i.js",
      "lib/node_modules/y.js",
      "data/d.json",
      ".git/HEAD",
      "lib/.env",
    ])
      write(path);
    expect(codeFiles(dir)).toEqual(CODE);
  });

  test("leaves out links to what only looks like files, such as those of the kernel", () => {
    for (const [n, target] of ["/proc/self/status", "/proc/kmsg", "/dev/zero", "/sys"].entries())
      link(target, `k${n}`);
    expect(codeFiles(dir)).toEqual(CODE);
  });

  test("data is left out at the top only", () => {
    write("lib/data/table.ts");
    expect(codeFiles(dir)).toContain("lib/data/table.ts");
  });

  test("refuses a folder with too many files", () => {
    mkdirSync(join(dir, "many"));
    for (let n = 0; n <= 5000; n++) symlinkSync("../page.html", join(dir, "many", String(n)));
    expect(() => codeFiles(dir)).toThrow("more than 5000 files");
  });
});

test("the sizes of all files count together, and the biggest is named where they are too much", () => {
  const half = { file: "half.bin", size: MAX_BYTES / 2 };
  expect(() => assertSize([half, half])).not.toThrow();
  const small = { file: "small.ts", size: 1 };
  expect(() => assertSize([small, half, half])).toThrow("half.bin (128 MB)");
  expect(() => assertSize([small, half, half])).toThrow(expect.objectContaining({ code: "UNREADABLE" }));
});

describe("codeFiles with links", () => {
  test("lists what is behind links to files and folders, inside and outside", () => {
    sandbox.write("elsewhere/x.ts", "x");
    sandbox.write("elsewhere/deep/y.ts", "y");
    link(join(sandbox.root, "elsewhere"), "far");
    link("../lib", "ui/near");
    link("page.html", "alias.html");
    expect(codeFiles(dir)).toEqual(
      [...CODE, "alias.html", "far/deep/y.ts", "far/x.ts", "ui/near/deep/a.ts"].sort(),
    );
  });

  test("leaves out below them what is left out elsewhere", () => {
    for (const path of ["x.ts", ".env", "node_modules/p/i.js", ".git/HEAD", "data/table.ts"])
      sandbox.write(join("elsewhere", path), "x");
    link(join(sandbox.root, "elsewhere"), "far");
    expect(codeFiles(dir)).toEqual([...CODE, "far/data/table.ts", "far/x.ts"].sort());
  });

  test("leaves out what they lead to when it is no code at its own place", () => {
    for (const path of ["data/items.json", "data/more/x.json", ".env", "node_modules/p/i.js"]) write(path);
    link("data", "store");
    link("../data/more", "lib/more");
    link("data/items.json", "settings.json");
    link(".env", "env.txt");
    link("node_modules/p", "p");
    expect(codeFiles(dir)).toEqual(CODE);
  });

  test("goes round in no circle", () => {
    link(".", "lib/me");
    link("..", "lib/up");
    link("../..", "lib/services");
    link("/", "lib/all");
    link("itself", "itself");
    link("../b", "a/to-b");
    link("../a", "b/to-a");
    write("a/x.ts");
    expect(codeFiles(dir)).toEqual([...CODE, "a/x.ts", "b/to-a/x.ts"].sort());
  });

  test("refuses links that spread without end, though no file is behind them", () => {
    const names = Array.from({ length: 9 }, (_, n) => `f${n}`);
    for (const from of names) for (const to of names) link(`../${to}`, `${from}/${to}`);
    expect(() => codeFiles(dir)).toThrow("more than 5000");
  });

  test("ignores those that lead nowhere", () => {
    link("nowhere", "dangling");
    link("page.html/x", "through-a-file");
    expect(codeFiles(dir)).toEqual(CODE);
  });
});
