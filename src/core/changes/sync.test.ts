import { afterEach, describe, expect, test } from "bun:test";
import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endRegistries, failure, startRegistry } from "../../../tests/support/registry.js";
import { answering, eventually, Sandbox } from "../../../tests/support/sandbox.js";
import { SlowChecker } from "../../../tests/support/slow-checker.js";
import { ChildChecker } from "../checker.js";
import { LoadFailure, type LoadFailureCode } from "../load-failure.js";
import { SYNC_EVENT } from "../registry-events.js";
import type { SyncResult } from "./sync.js";

afterEach(endRegistries);

describe("sync", () => {
  test("adds, updates and removes, and leaves what has not changed alone", async () => {
    const { reef, registry } = await startRegistry({
      "same/index.ts": answering("same", "same"),
      "changed/index.ts": answering("changed", "one"),
      "nested/index.ts":
        'import { Hono } from "hono"; import { text } from "./lib/text.js"; const routes = new Hono(); routes.get("/", (c) => c.text(text)); export default { name: "nested", routes };',
      "nested/lib/text.ts": 'export const text = "one";',
      "gone/index.ts": answering("gone", "gone"),
    });
    expect(await registry.sync()).toEqual({ results: [], errors: [] });
    reef.sandbox.services({
      "changed/index.ts": answering("changed", "two"),
      "nested/lib/text.ts": 'export const text = "two";',
      "fresh/index.ts": answering("fresh", "fresh"),
      "bad/index.ts": "export default {{{",
    });
    rmSync(join(reef.sandbox.servicesDir, "gone"), { recursive: true });
    const { results, errors } = await registry.sync();
    expect(results.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: "changed", action: "updated" },
      { name: "fresh", action: "added" },
      { name: "gone", action: "removed" },
      { name: "nested", action: "updated" },
    ]);
    expect(errors).toEqual([{ dir: "bad", error: expect.stringContaining("index.ts") }]);
    const texts = await Promise.all(
      ["same", "changed", "nested", "fresh"].map((name) => reef.text(`/${name}`)),
    );
    expect(texts).toEqual(["same", "two", "two", "fresh"]);
    expect((await reef.call("/gone")).status).toBe(404);
    expect(registry.get("same")?.generation).toBe(1);
  });

  test("loads new services whatever the order in which they need each other", async () => {
    const { reef, registry } = await startRegistry();
    reef.sandbox.services({
      "a/index.ts": answering("a", "a", 'dependencies: ["b"]'),
      "b/index.ts": answering("b", "b", 'dependencies: ["c"]'),
      "c/index.ts": answering("c", "c"),
      "d/index.ts": answering("d", "d", 'dependencies: ["ghost"]'),
    });
    const { results, errors } = await registry.sync();
    expect(results.map(({ name }) => name)).toEqual(["c", "b", "a"]);
    expect(errors).toEqual([{ dir: "d", error: 'Missing dependency "ghost" of "d".' }]);
  });

  test("takes up a failed folder when it has been mended, and forgets one that is gone", async () => {
    const { reef, registry } = await startRegistry({
      "bad/index.ts": "throw 1;",
      "worse/index.ts": "throw 2;",
    });
    expect(registry.failures().map(({ name }) => name)).toEqual(["bad", "worse"]);
    reef.sandbox.services({ "bad/index.ts": answering("bad", "good now") });
    rmSync(join(reef.sandbox.servicesDir, "worse"), { recursive: true });
    expect((await registry.sync()).results).toEqual([{ name: "bad", action: "added" }]);
    expect(registry.failures()).toEqual([]);
  });

  test("reports a folder that cannot be read any more, and takes up the others all the same", async () => {
    const { reef, registry } = await startRegistry({
      "bad/index.ts": answering("bad", "still there"),
      "other/index.ts": answering("other", "one"),
    });
    const link = join(reef.sandbox.servicesDir, "bad", "link");
    symlinkSync("a-name-that-is-too-long".repeat(20), link);
    reef.sandbox.services({ "other/index.ts": answering("other", "two") });
    const { results, errors } = await registry.sync();
    expect(results).toEqual([{ name: "other", action: "updated" }]);
    expect(errors).toEqual([{ dir: "bad", error: expect.stringContaining("ENAMETOOLONG") }]);
    expect([await reef.text("/bad"), await reef.text("/other")]).toEqual(["still there", "two"]);
    expect(registry.get("bad")?.failure).toMatchObject({ code: "UNREADABLE" });
    rmSync(link);
    expect(await registry.sync()).toEqual({ results: [], errors: [] });
    expect(registry.failures()).toEqual([]);
  });

  test("a service serves on whose folder can no longer be looked into, and the reason is reported", async () => {
    const { reef, registry } = await startRegistry({ "a/index.ts": answering("a", "still there") });
    const entry = join(reef.sandbox.servicesDir, "a", "index.ts");
    rmSync(entry);
    symlinkSync("n".repeat(300), entry);
    const reason = expect.stringContaining("cannot be read: ENAMETOOLONG");
    expect(await registry.sync()).toEqual({ results: [], errors: [{ dir: "a", error: reason }] });
    expect(await reef.text("/a")).toBe("still there");
    expect(registry.get("a")?.failure).toMatchObject({ code: "UNREADABLE" });
    rmSync(entry);
    expect((await registry.sync()).results).toEqual([{ name: "a", action: "removed" }]);
  });

  test.each([
    ["is not there", () => undefined, "ENOENT"],
    ["is a file", (path: string) => writeFileSync(path, ""), "ENOTDIR"],
    ["leads round in circles", (path: string) => symlinkSync(path, path), "ELOOP"],
  ])("changes nothing while the services folder %s, and says so", async (_what, replace, code) => {
    const { reef, registry } = await startRegistry({
      "a/index.ts": answering("a", "still there"),
      "bad/index.ts": "throw 1;",
    });
    const { servicesDir, root } = reef.sandbox;
    renameSync(servicesDir, join(root, "moved"));
    replace(servicesDir);
    const reason = await failure(registry.sync());
    expect(reason).toMatchObject({ code: "UNREADABLE", step: "find" });
    expect(reason.message).toStartWith(`the services folder ${servicesDir} cannot be read: ${code}`);
    expect(await reef.text("/a")).toBe("still there");
    expect(registry.failures().map(({ name }) => name)).toEqual(["bad"]);
    rmSync(servicesDir, { force: true });
    renameSync(join(root, "moved"), servicesDir);
    expect((await registry.sync()).results).toEqual([]);
  });

  const hopeless: LoadFailureCode[] = ["IMPORT_TIMEOUT", "INIT_TIMEOUT", "PROCESS_ENDED"];
  test.each(hopeless)("does not try code again that failed with %s, until it changes", async (code) => {
    const checker = new SlowChecker(["atstart", "later", "running"]);
    const files = {
      "atstart/index.ts": answering("atstart", "a"),
      "running/index.ts": answering("running", "old"),
    };
    const starting = startRegistry(files, { checker, patienceMs: 20 });
    checker.fail("atstart", new LoadFailure(code, "import", "too long"));
    checker.pass("running");
    const { reef, registry } = await starting;
    await reef.settled;
    checker.hold("running");
    reef.sandbox.services({
      "later/index.ts": answering("later", "a"),
      "running/index.ts": answering("running", "new"),
    });
    for (const name of ["later", "running"]) checker.fail(name, new LoadFailure(code, "import", "too long"));
    const errors = ["running", "atstart", "later"].map((dir) => ({ dir, error: "too long" }));
    const sorted = ({ errors }: { errors: Array<{ dir: string }> }) =>
      errors.toSorted((a, b) => (a.dir < b.dir ? -1 : 1));
    expect(sorted(await registry.sync())).toEqual(sorted({ errors }));
    const asked = checker.asked.length;
    expect(sorted(await registry.sync())).toEqual(sorted({ errors }));
    expect(checker.asked).toHaveLength(asked);
    expect(await failure(registry.reload("later"))).toMatchObject({ code });
    expect(checker.asked).toHaveLength(asked + 1);
    checker.hold("later");
    checker.pass("later");
    reef.sandbox.services({ "later/index.ts": answering("later", "mended") });
    expect((await registry.sync()).results).toEqual([{ name: "later", action: "added" }]);
  });

  test("takes up what has been tried while other folders are still being tried", async () => {
    const names = ["fine", "good", "hangs"];
    const checker = new SlowChecker(names);
    const { reef, registry } = await startRegistry({}, { checker });
    const passes: string[][] = [];
    const runs = globalThis as unknown as { __runs: number };
    runs.__runs = 0;
    const namesIn = ({ results }: SyncResult) => results.map(({ name }) => name);
    reef.events.on(SYNC_EVENT, (data) => void passes.push(namesIn(data as SyncResult)));
    reef.sandbox.services({
      ...Object.fromEntries(names.map((name) => [`${name}/index.ts`, answering(name, name)])),
      "needs/index.ts": answering("needs", "fine", 'dependencies: ["fine"]'),
      "once/index.ts": "globalThis.__runs++; throw 1;",
    });
    const sync = registry.sync();
    await eventually(() => passes.length > 0);
    for (const name of ["fine", "good"]) {
      checker.pass(name);
      await eventually(async () => (await reef.text(`/${name}`)) === name);
    }
    expect(await reef.text("/needs")).toBe("fine");
    await eventually(() => passes.length > 2);
    expect([passes, runs.__runs]).toEqual([[[], ["fine", "needs"], ["good"]], 1]);
    checker.fail("hangs");
    const result = await sync;
    expect(namesIn(result)).toEqual(["fine", "needs", "good"]);
    expect(result.errors.map(({ dir }) => dir).toSorted()).toEqual(["hangs", "once"]);
    expect(passes).toHaveLength(4);
  });

  test("tries code again that failed quickly: what it lacks may have come", async () => {
    const { reef, registry } = await startRegistry({
      "bad/index.ts": "if (!globalThis.__come) throw 1; export default { name: 'bad' };",
    });
    (globalThis as unknown as { __come: boolean }).__come = true;
    expect((await registry.sync()).results).toEqual([{ name: "bad", action: "added" }]);
    expect(reef.liveModules.has("bad")).toBe(true);
  });

  test.each(["mended", "old"])(
    "tries code again that was started after code that hung: %s",
    async (after) => {
      const checker = new SlowChecker([]);
      const needing = (name: string, text: string) =>
        answering(name, text, `dependencies: ${JSON.stringify(name === "ca" ? ["cb"] : [])}, init() {}`);
      const { reef, registry } = await startRegistry({ "cb/index.ts": needing("cb", "old") }, { checker });
      const { sandbox } = reef;
      checker.import = async (name) => {
        return { name, dependencies: name === "ca" ? ["cb"] : [], hasInit: name !== "other" };
      };
      checker.start = async (dirNames) => {
        checker.started.push(dirNames);
        const code = await Bun.file(join(sandbox.servicesDir, "cb", "index.ts")).text();
        if (code.includes("hangs")) throw new LoadFailure("INIT_TIMEOUT", "init", "too long");
      };
      for (const name of ["cb", "ca"]) {
        sandbox.services({ [`${name}/index.ts`]: needing(name, "hangs") });
        expect((await registry.sync()).errors.map(({ dir }) => dir)).toContain(name);
      }
      const tried = [["cb"], ["cb", "ca"]];
      sandbox.services({ "other/index.ts": answering("other", "new") });
      expect((await registry.sync()).errors).toHaveLength(2);
      expect(checker.started.slice(-2)).toEqual(tried);
      sandbox.services({ "cb/index.ts": needing("cb", after) });
      const { results, errors } = await registry.sync();
      expect([results.map(({ name }) => name).includes("ca"), errors]).toEqual([true, []]);
      expect([await reef.text("/ca"), await reef.text("/cb")]).toEqual(["hangs", after]);
    },
  );

  test("forgets what was wrong with a change that was taken back", async () => {
    const { reef, registry } = await startRegistry({ "a/index.ts": answering("a", "a") });
    reef.sandbox.services({ "a/index.ts": "throw 1;" });
    expect((await registry.sync()).errors).toHaveLength(1);
    reef.sandbox.services({ "a/index.ts": answering("a", "a") });
    expect(await registry.sync()).toEqual({ results: [], errors: [] });
    expect([registry.failures(), registry.get("a")?.generation]).toEqual([[], 1]);
  });
});

describe("services that run and change what they need", () => {
  const needing = (name: string, text: string, ...needs: string[]) =>
    answering(name, text, `dependencies: ${JSON.stringify(needs)}, async init() {}`);
  const start = async (files: Record<string, string>) => {
    const sandbox = new Sandbox(files);
    const { servicesDir, dataDir } = sandbox;
    const checker = new ChildChecker({ servicesDir, timeoutMs: 20_000 });
    const server = await startRegistry({}, { servicesDir, dataDir, checker });
    server.reef.sandbox.remove();
    Object.assign(server.reef, { sandbox });
    return server;
  };

  test("are exchanged when the one needs the other where the other needed it", async () => {
    const { reef, registry } = await start({
      "a/index.ts": needing("a", "old"),
      "b/index.ts": needing("b", "old", "a"),
    });
    reef.sandbox.services({
      "a/index.ts": needing("a", "new", "b"),
      "b/index.ts": needing("b", "new"),
    });
    expect(await registry.sync()).toEqual({
      results: [
        { name: "b", action: "updated" },
        { name: "a", action: "updated" },
      ],
      errors: [],
    });
    expect([await reef.text("/a"), await reef.text("/b")]).toEqual(["new", "new"]);
    expect(registry.failures()).toEqual([]);
  });

  test("are told of the circle when they come to need each other", async () => {
    const { reef, registry } = await start({
      "a/index.ts": needing("a", "old"),
      "b/index.ts": needing("b", "old"),
    });
    reef.sandbox.services({
      "a/index.ts": needing("a", "new", "b"),
      "b/index.ts": needing("b", "new", "a"),
    });
    expect(await registry.sync()).toEqual({
      results: [],
      errors: [
        { dir: "a", error: "dependency cycle: a → b → a." },
        { dir: "b", error: "dependency cycle: b → a → b." },
      ],
    });
    expect([await reef.text("/a"), await reef.text("/b")]).toEqual(["old", "old"]);
  });

  test("are told of the circle when one comes to need what needs it", async () => {
    const { reef, registry } = await start({
      "a/index.ts": needing("a", "old"),
      "b/index.ts": needing("b", "old", "a"),
    });
    reef.sandbox.services({ "a/index.ts": needing("a", "new", "b") });
    for (const way of [registry.reload, registry.load, registry.check] as const)
      expect(await failure(way("a"))).toMatchObject({ code: "DEPENDENCY_CYCLE" });
    expect((await registry.sync()).errors).toEqual([{ dir: "a", error: "dependency cycle: a → b → a." }]);
    expect(await reef.text("/a")).toBe("old");
  });
});
