import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { makePipe } from "../../tests/support/pipe.js";
import { type Files, Sandbox } from "../../tests/support/sandbox.js";
import {
  discoverServiceModules,
  filterClientModules,
  isPluginFolder,
  loadServiceModule,
  scanServices,
} from "./discover.js";

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.remove());
const module = (name: string, fields = "") => `export default { name: "${name}", ${fields} };`;

describe("scanServices", () => {
  test("finds folders and links to folders with an index.ts, sorted; imports nothing", () => {
    sandbox.services({
      "b/index.ts": "globalThis.__scanned = true;",
      "a/index.ts": "",
      "a/other.ts": "",
      "file.ts": "",
    });
    mkdirSync(join(sandbox.root, "elsewhere"));
    sandbox.write("elsewhere/index.ts", "");
    symlinkSync(join(sandbox.root, "elsewhere"), join(sandbox.servicesDir, "c"));
    const { candidates, failures } = scanServices(sandbox.servicesDir);
    expect(candidates.map(({ dirName }) => dirName)).toEqual(["a", "b", "c"]);
    expect(candidates[0]?.dir).toBe(join(sandbox.servicesDir, "a"));
    expect(failures).toEqual([]);
    expect("__scanned" in globalThis).toBe(false);
  });

  test("reports what looks like a service and is none", () => {
    sandbox.services({ "no-index/x.ts": "", "bad name/index.ts": "" });
    symlinkSync("/no/where", join(sandbox.servicesDir, "dangling"));
    const { candidates, failures } = scanServices(sandbox.servicesDir);
    expect(candidates).toEqual([]);
    expect(failures.map(({ dirName, failure }) => [dirName, failure.code])).toEqual([
      ["bad name", "BAD_FOLDER"],
      ["dangling", "UNREADABLE"],
      ["no-index", "NO_ENTRY"],
    ]);
  });

  test("a folder where nobody can tell whether there is an index.ts is unreadable, not without one", async () => {
    sandbox.services({ "closed/x": "", "plugin/x": "" });
    // Stands for a folder without permissions, which do not hold for every user that runs tests.
    symlinkSync("n".repeat(300), join(sandbox.servicesDir, "closed", "index.ts"));
    symlinkSync("package.json", join(sandbox.servicesDir, "plugin", "package.json"));
    const { candidates, failures } = scanServices(sandbox.servicesDir);
    expect(candidates).toEqual([]);
    expect(failures.map(({ dirName, failure }) => [dirName, failure.code, failure.message])).toEqual([
      ["closed", "UNREADABLE", expect.stringMatching(/^the folder cannot be read: ENAMETOOLONG/)],
      ["plugin", "UNREADABLE", expect.stringMatching(/^the folder cannot be read: ELOOP/)],
    ]);
    const loading = loadServiceModule(join(sandbox.servicesDir, "closed"));
    expect(await loading.catch(({ code }) => code)).toBe("UNREADABLE");
  });

  test("passes over dot-folders, node_modules, files and plugin folders", () => {
    sandbox.services({
      ".git/index.ts": "",
      "node_modules/index.ts": "",
      "README.md": "",
      "plugin/package.json": '{ "reef": { "methods": {} } }',
    });
    expect(scanServices(sandbox.servicesDir)).toEqual({ candidates: [], failures: [] });
  });

  test("a folder that is not there holds nothing", () => {
    expect(scanServices(join(sandbox.root, "nowhere"))).toEqual({ candidates: [], failures: [] });
  });
});

test.each<[string, Files, boolean]>([
  ["a manifest", { "package.json": '{ "kunkun": {} }' }, true],
  ["an unreadable package.json", { "package.json": "{" }, true],
  ["a package without a manifest", { "package.json": "{}" }, false],
  ["a manifest of the wrong type", { "package.json": '{ "reef": 1 }' }, false],
  ["null", { "package.json": "null" }, false],
  ["a service with a manifest", { "package.json": '{ "reef": {} }', "index.ts": "" }, false],
  ["nothing", { x: "" }, false],
])("isPluginFolder: %s", (_what, files, expected) => {
  sandbox.services(Object.fromEntries(Object.entries(files).map(([path, text]) => [`p/${path}`, text])));
  expect(isPluginFolder(join(sandbox.servicesDir, "p"))).toBe(expected);
});

test("a folder with a package.json that can never be read to its end counts as a plugin, and nobody waits", () => {
  sandbox.services({ "pipe/x": "", "zero/x": "", "large/package.json": `{}${" ".repeat(1024 * 1024)}` });
  makePipe(join(sandbox.servicesDir, "pipe", "package.json"));
  symlinkSync("/dev/zero", join(sandbox.servicesDir, "zero", "package.json"));
  expect(scanServices(sandbox.servicesDir)).toEqual({ candidates: [], failures: [] });
  for (const name of ["pipe", "zero", "large"])
    expect(isPluginFolder(join(sandbox.servicesDir, name))).toBe(true);
});

test("loadServiceModule imports one folder, or says why it cannot", async () => {
  sandbox.services({
    "a/index.ts": module("a"),
    "b/index.ts": 'throw new Error("why");',
    "c/x.ts": "",
    "d/index.ts": "export default 1;",
  });
  const load = (name: string) => loadServiceModule(join(sandbox.servicesDir, name));
  expect((await load("a")).name).toBe("a");
  expect(load("b")).rejects.toMatchObject({
    code: "IMPORT_FAILED",
    message: "importing index.ts failed: why",
  });
  expect(load("c")).rejects.toMatchObject({ code: "NO_ENTRY" });
  expect(load("d")).rejects.toMatchObject({ code: "NO_DEFAULT_EXPORT" });
});

describe("discoverServiceModules", () => {
  const discover = async (includeNames?: string[]) => {
    const warnings: string[] = [];
    const modules = await discoverServiceModules(sandbox.servicesDir, {
      includeNames,
      warn: (line) => warnings.push(line),
    });
    return { names: modules.map(({ name }) => name), warnings };
  };

  test("returns modules in the order of their dependencies, with a warning for each that is left out", async () => {
    sandbox.services({
      "a/index.ts": module("a", 'dependencies: ["c"]'),
      "b/index.ts": "throw 1;",
      "c/index.ts": module("c"),
      "d/index.ts": module("d", 'dependencies: ["ghost"]'),
      "e/index.ts": module("e", 'dependencies: ["e"]'),
      "f/index.ts": module("a"),
      "g/x.ts": "",
    });
    const { names, warnings } = await discover();
    expect(names).toEqual(["c", "a"]);
    expect(warnings.toSorted().map((line) => line.slice(0, 11))).toEqual([
      "b: skipped:",
      "d: skipped:",
      "e: skipped:",
      "f: skipped:",
      "g: skipped:",
    ]);
  });

  test("can be limited to some services and what these need", async () => {
    sandbox.services({
      "a/index.ts": module("a", 'dependencies: ["b"]'),
      "b/index.ts": module("b", 'dependencies: ["c"]'),
      "c/index.ts": module("c"),
      "d/index.ts": module("d"),
    });
    expect((await discover(["a"])).names).toEqual(["c", "b", "a"]);
    expect((await discover(["d", "ghost"])).names).toEqual(["d"]);
    expect((await discover([])).names).toEqual([]);
  });
});

test("filterClientModules keeps modules with tools, behaviours or a widget", () => {
  const fn = () => undefined;
  const modules = [
    { name: "server" },
    { name: "tools", registerTools: fn },
    { name: "behaviors", registerBehaviors: fn },
    { name: "widget", widget: { getLines: async () => [] } },
  ];
  expect(filterClientModules(modules).map(({ name }) => name)).toEqual(["tools", "behaviors", "widget"]);
});
