/** A worker runs the code that its plugin's manifest was read with, whatever lies in the folder by then. */
import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import fs, { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../tests/support/sandbox.js";
import { Broker } from "./broker.js";
import { failure, type TestBroker, testBroker, writePlugin } from "./testing/fixtures.js";

const SINKS = { log: { write: () => undefined }, events: { emit: () => undefined } };
let own: TestBroker;
let copies: string;
beforeEach(() => {
  own = testBroker({ idleTimeout: 50, memoryInterval: 10, restartDelay: 1 });
  copies = join(own.folder, "code");
});
afterEach(() => own.close());

const version = (text: string) => ({
  id: "plugin",
  methods: { get: {}, die: {}, lazy: {}, wait: {} },
  code: `import { value } from "./lib/value.ts";
    export default { services: { main: {
      get: () => value,
      lazy: async () => (await import("./lib/late.ts")).value,
      wait: ({ ms }) => Bun.sleep(ms).then(() => import("./lib/late.ts")).then(({ value }) => value),
      die: () => process.exit(1),
    } } };`,
  files: {
    "lib/value.ts": `export const value = "${text}";`,
    "lib/late.ts": `export const value = "late ${text}";`,
  },
});
const call = (method: string, input: unknown = {}) =>
  own.broker.call<string>("plugin", "main", method, input);
const workerGone = () => eventually(() => own.broker.workers()[0]?.pid === null, "the end of the worker");
const copiesLeft = () =>
  existsSync(copies) ? readdirSync(copies).flatMap((one) => readdirSync(join(copies, one))) : [];

test("after an upgrade that was refused, new workers run what was accepted", async () => {
  await own.add(version("one"));
  expect(await call("get")).toBe("one");
  const folder = writePlugin(own.folder, { ...version("two"), permissions: ["fs-read"] });
  expect(String(await failure(own.broker.load(folder)))).toContain("needs an allow list");

  await workerGone();
  expect(await call("get")).toBe("one");
  expect(await failure(call("die"))).toMatchObject({ code: "worker_died" });
  expect(await call("get")).toBe("one");
  expect(await call("lazy")).toBe("late one");
  writePlugin(own.folder, version("three"));
  await own.broker.load(folder);
  expect([await call("get"), await call("lazy")]).toEqual(["three", "late three"]);
});

test("what is changed and not loaded yet runs nowhere", async () => {
  await own.add(version("one"));
  writePlugin(own.folder, version("two"));
  expect([await call("get"), await call("lazy")]).toEqual(["one", "late one"]);
});

test("paths work as in the plugin's folder, packages and its own data are those in it", async () => {
  const files = {
    "lib/asset.txt": "asset",
    "lib/here.ts": "export const here = import.meta.dir;",
    "node_modules/package/index.js": 'export { inner } from "inner";',
    "node_modules/package/node_modules/inner/index.js": 'export const inner = "inner";',
    ".hidden/note": "hidden",
    "data/given": "given",
  };
  const folder = writePlugin(own.folder, {
    id: "paths",
    methods: { look: {}, save: {}, run: {} },
    permissions: [
      { permission: "fs-write", allow: ["$EXTENSION/**"] },
      { permission: "shell:execute", allow: [{ command: "cat" }] },
    ],
    code: `import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
      import { join } from "node:path";
      import { inner } from "package";
      import { shell } from "reef/broker";
      import { here } from "./alias/here.ts";
      const read = (path) => readFileSync(path, "utf8");
      export default { services: { main: {
        look: () => [inner, read("lib/asset.txt"), read(join(here, "asset.txt")), read(".hidden/note"), read("data/given"), readdirSync("empty").length],
        save() {
          writeFileSync("data/kept", "one");
          writeFileSync(join(process.env.EXTENSION, "note"), "two");
          mkdirSync("made/here", { recursive: true });
          writeFileSync("made/here/late", "three");
        },
        run: async () => (await shell.execute("cat", ["lib/asset.txt", "data/given", "made/here/late"])).stdout,
      } } };`,
    files,
  });
  mkdirSync(join(folder, "empty"));
  symlinkSync("lib", join(folder, "alias"));
  await own.broker.load(folder);
  const ask = (method: string) => own.broker.call<string>("paths", "main", method, {});
  expect<unknown>(await ask("look")).toEqual(["inner", "asset", "asset", "hidden", "given", 0]);
  await ask("save");
  expect(await ask("run")).toBe("assetgiventhree");
  expect([
    readFileSync(join(folder, "data/kept"), "utf8"),
    readFileSync(join(folder, "note"), "utf8"),
  ]).toEqual(["one", "two"]);
});

test("a copy goes with the last call that runs from it", async () => {
  await own.add(version("one"));
  const waiting = call("wait", { ms: 100 });
  await eventually(() => own.broker.workers()[0]?.inFlight === 1, "the call");
  await own.add(version("two"));
  expect(copiesLeft()).toHaveLength(2);
  expect(await call("get")).toBe("two");
  expect(await waiting).toBe("late one");
  await eventually(() => copiesLeft().length === 1, "the end of the old copy");
  own.broker.unload("plugin");
  await eventually(() => copiesLeft().length === 0, "the end of the last copy");
});

test("what a server that was killed has left is gone, and that of another broker of this process is not", async () => {
  const other = new Broker({ ...SINKS, supportFolder: () => join(own.folder, "s"), codeFolder: copies });
  await other.load(writePlugin(own.folder, version("one")));
  mkdirSync(join(copies, "1-1-left/1"), { recursive: true });
  await own.add(version("one"));
  expect(readdirSync(copies).filter((name) => name.startsWith("1-1-"))).toEqual([]);
  expect(copiesLeft()).toHaveLength(2);
  await other.close();
  expect(copiesLeft()).toHaveLength(1);
});

test("a folder whose files change while they are read is refused", async () => {
  const folder = writePlugin(own.folder, version("one"));
  const copying = spyOn(fs.promises, "copyFile").mockImplementationOnce(async (from, to) => {
    writeFileSync(join(folder, "lib/value.ts"), "export const value = 2;");
    fs.copyFileSync(from, to);
  });
  try {
    expect(String(await failure(own.broker.load(folder)))).toContain("changed while being read");
  } finally {
    copying.mockRestore();
  }
  expect([own.broker.hasPlugin("plugin"), copiesLeft()]).toEqual([false, []]);
});

test("logs and errors name the files of the plugin's own folder", async () => {
  const folder = writePlugin(own.folder, {
    id: "stacks",
    methods: { log: {}, fail: {} },
    code: `export default { services: { main: {
      log() { console.log(new Error("here").stack); },
      fail: () => import("./missing.ts"),
    } } };`,
  });
  await own.broker.load(folder);
  await own.broker.call("stacks", "main", "log", {});
  const { message } = await failure(own.broker.call("stacks", "main", "fail", {}));
  expect(message).toContain(`imported from ${folder}/main.ts`);
  await eventually(() => own.logs.some(({ line }) => line.includes(`${folder}/main.ts:2`)), "the line");
  expect(own.logs.filter(({ line }) => line.includes(copies))).toEqual([]);
});

test("who hears of a load may load the folder again at once", async () => {
  const folder = writePlugin(own.folder, version("one"));
  let again: Promise<unknown> | undefined;
  const hearing = new Broker({
    ...SINKS,
    events: { emit: () => (again ??= hearing.load(writePlugin(own.folder, version("two")))) },
    supportFolder: () => join(own.folder, "s"),
    codeFolder: copies,
  });
  await hearing.load(folder);
  await again;
  expect(await hearing.call<string>("plugin", "main", "get", {})).toBe("two");
  await hearing.close();
});
