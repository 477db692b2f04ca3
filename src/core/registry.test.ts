import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { endRegistries, failure, startRegistry } from "../../tests/support/registry.js";
import { answering, eventually } from "../../tests/support/sandbox.js";

afterEach(endRegistries);

describe("load", () => {
  test("adds a folder, then exchanges it for its present code", async () => {
    const { reef, registry } = await startRegistry();
    reef.sandbox.services({ "a/index.ts": answering("a", "one") });
    expect(await registry.load("a")).toEqual({ name: "a", action: "added" });
    reef.sandbox.services({ "a/index.ts": answering("a", "two") });
    expect(await reef.text("/a")).toBe("one");
    expect(await registry.load("a")).toEqual({ name: "a", action: "updated" });
    expect(await reef.text("/a")).toBe("two");
    expect(registry.get("a")).toMatchObject({ state: "loaded", dirName: "a", generation: 2 });
  });

  test("does not wait for the copies that are being made of others' code", async () => {
    const { reef, registry } = await startRegistry({ "a/index.ts": answering("a", "a") });
    const copies = Promise.withResolvers<void>();
    const { snapshots } = reef.registry;
    if (!snapshots) throw new Error("this server keeps copies");
    // Those of the start.
    await reef.registry.keepCopies([]);
    const keep = spyOn(snapshots, "keep").mockReturnValueOnce(copies.promise);
    const making = reef.registry.keepCopies(["a"]);
    await eventually(() => keep.mock.calls.length > 0, "the first copy");
    reef.sandbox.services({ "b/index.ts": answering("b", "b") });
    expect(await registry.load("b")).toEqual({ name: "b", action: "added" });
    expect(keep.mock.calls.map(([dirName]) => dirName)).toEqual(["a", "b"]);
    copies.resolve();
    await making;
  });

  test("serves under the module's name, which need not be the folder's", async () => {
    const { reef, registry } = await startRegistry();
    reef.sandbox.services({ "folder/index.ts": answering("shown", "x") });
    expect(await registry.load("folder")).toEqual({ name: "shown", action: "added" });
    expect(await reef.text("/shown")).toBe("x");
    expect(await registry.reload("shown")).toEqual({ name: "shown", action: "updated" });
    expect((await reef.call("/folder")).status).toBe(404);
  });

  test.each(["../outside", "..", ".", "", "a/b", ".hidden", "a%2fb", "/etc"])(
    "%p is no folder name; nothing outside the services folder is run",
    async (dirName) => {
      const { reef, registry } = await startRegistry();
      reef.sandbox.write("outside/index.ts", 'globalThis.__ran = true; export default { name: "x" };');
      expect(await failure(registry.load(dirName))).toMatchObject({ code: "BAD_FOLDER" });
      expect("__ran" in globalThis).toBe(false);
    },
  );

  test("an unknown folder is refused and leaves no trace", async () => {
    const { registry } = await startRegistry();
    expect(await failure(registry.load("ghost"))).toMatchObject({ code: "UNKNOWN" });
    expect(await failure(registry.reload("ghost"))).toMatchObject({ code: "UNKNOWN" });
    expect(registry.list()).toEqual([]);
  });

  test("changes auth, root mount and routes with the code", async () => {
    const { reef, registry } = await startRegistry({ "a/index.ts": answering("a", "closed") });
    expect((await reef.app.request("/a")).status).toBe(401);
    reef.sandbox.services({ "a/index.ts": answering("a", "open", "requiresAuth: false") });
    await registry.load("a");
    expect((await reef.app.request("/a")).status).toBe(200);
    reef.sandbox.services({ "a/index.ts": answering("a", "root", "mountAtRoot: true") });
    await registry.load("a");
    expect([await reef.text("/"), (await reef.call("/a")).status]).toEqual(["root", 404]);
    expect((await reef.app.request("/")).status).toBe(401);
    reef.sandbox.services({ "a/index.ts": 'export default { name: "a" };' });
    await registry.load("a");
    expect([(await reef.call("/")).status, (await reef.call("/a")).status]).toEqual([404, 404]);
  });
});

describe("a copy of what serves is kept", () => {
  const NAMES = ["a", "b", "c", "d", "e", "f"];
  const files = Object.fromEntries(NAMES.map((name) => [`${name}/index.ts`, answering(name, name)]));

  test("when the server ends right after its start", async () => {
    const { reef } = await startRegistry(files);
    await reef.close();
    expect(readdirSync(join(reef.sandbox.dataDir, ".reef", "snapshots")).sort()).toEqual(NAMES);
  });

  test("when it is removed right after its start", async () => {
    const { reef, registry } = await startRegistry(files);
    await registry.unload("f");
    expect(reef.registry.snapshots?.list("f")).toHaveLength(1);
  });
});

describe("the queue", () => {
  test("runs one change after the other, also when they are asked for at once", async () => {
    const { registry } = await startRegistry({
      "a/index.ts": `globalThis.__changes ??= { now: 0, most: 0 };
        const changes = globalThis.__changes;
        export default { name: "a", async init() {
          changes.most = Math.max(changes.most, ++changes.now); await Bun.sleep(1); changes.now--;
        } };`,
    });
    await Promise.all(Array.from({ length: 20 }, () => registry.reload("a")));
    expect((globalThis as unknown as { __changes: object }).__changes).toEqual({ now: 0, most: 1 });
    expect(registry.get("a")?.generation).toBe(21);
  });

  test("goes on after a failed change", async () => {
    const { reef, registry } = await startRegistry({
      "a/index.ts": answering("a", "a"),
      "b/index.ts": answering("b", "b"),
    });
    reef.sandbox.services({ "a/index.ts": "throw 1;" });
    const [first, second] = await Promise.allSettled([registry.reload("a"), registry.reload("b")]);
    expect([first?.status, second?.status]).toEqual(["rejected", "fulfilled"]);
  });
});

describe("unload", () => {
  const pair = {
    "base/index.ts": answering("base", "base"),
    "top/index.ts": answering("top", "top", 'dependencies: ["base"]'),
  };

  test("is refused while another service depends on it, unless forced", async () => {
    const { reef, registry } = await startRegistry(pair);
    const refused = await failure(registry.unload("base"));
    expect(refused).toMatchObject({ code: "IN_USE" });
    expect(refused.message).toContain('"top"');
    expect(await reef.text("/base")).toBe("base");
    await registry.unload("base", { force: true });
    expect((await reef.call("/base")).status).toBe(404);
    expect(reef.liveModules.has("base")).toBe(false);
  });

  test("of an unknown service says so; a service cannot remove itself", async () => {
    const { reef, registry } = await startRegistry({
      "a/index.ts": 'export default { name: "a", init(ctx) { globalThis.__ctx = ctx; } };',
    });
    expect(await failure(registry.unload("ghost"))).toMatchObject({ code: "UNKNOWN" });
    const own = (globalThis as unknown as { __ctx: typeof reef.ctx }).__ctx;
    expect(await failure(own.unloadModule("a"))).toMatchObject({ code: "PROTECTED" });
  });

  test("a module object can be unloaded but not reloaded", async () => {
    const { registry } = await startRegistry({}, { modules: [{ name: "obj" }] });
    expect(await failure(registry.reload("obj"))).toMatchObject({ code: "PROTECTED" });
    await registry.unload("obj");
    expect(registry.list()).toEqual([]);
  });
});

describe("switching off", () => {
  const folder = { "folder/index.ts": answering("shown", "x") };
  const both = ["folder", "shown"];
  const ways = both.flatMap((off) => both.map((on) => [off, on] as const));

  test.each(ways)("by the name %p stops what serves, and by %p it is back", async (off, on) => {
    const { reef, registry } = await startRegistry(folder);
    await registry.disable(off, { reason: "why" });
    expect((await reef.call("/shown")).status).toBe(404);
    expect(registry.list()).toMatchObject([
      { name: "shown", dirName: "folder", state: "disabled", reason: "why" },
    ]);
    expect(await registry.enable(on)).toEqual({ name: "shown", action: "added" });
    expect(await reef.text("/shown")).toBe("x");
  });

  test("twice, by either name, does not lose the service's name", async () => {
    const { registry } = await startRegistry(folder);
    await registry.disable("shown");
    await registry.disable("folder", { reason: "still" });
    expect(registry.list()).toMatchObject([{ name: "shown", state: "disabled", reason: "still" }]);
  });

  test("by the folder's name is refused like by the service's", async () => {
    const { reef, registry } = await startRegistry({
      ...folder,
      "top/index.ts": answering("top", "top", 'dependencies: ["shown"]'),
      "own/index.ts": 'export default { name: "self", init(ctx) { globalThis.__self = ctx; } };',
    });
    expect(await failure(registry.disable("folder"))).toMatchObject({ code: "IN_USE" });
    const self = (globalThis as unknown as { __self: typeof reef.ctx }).__self;
    expect(await failure(self.registry.disable("own"))).toMatchObject({ code: "PROTECTED" });
    expect(registry.list().map(({ state }) => state)).toEqual(["loaded", "loaded", "loaded"]);
  });
});

test("list shows failed folders with step, code and reason", async () => {
  const { registry } = await startRegistry({
    "bad/index.ts": 'throw new Error("why");',
    "good/index.ts": answering("good", ""),
  });
  expect(registry.list().map(({ name, state }) => [name, state])).toEqual([
    ["good", "loaded"],
    ["bad", "failed"],
  ]);
  expect(registry.get("bad")?.failure).toMatchObject({
    step: "import",
    code: "IMPORT_FAILED",
    error: expect.stringContaining("why"),
  });
});

test("the ledger counts requests, errors and late errors of the present version", async () => {
  const { reef, registry } = await startRegistry({
    "a/index.ts": `import { Hono } from "hono";
      const routes = new Hono();
      routes.get("/", (c) => c.text("x"));
      routes.get("/throw", () => { throw new Error("x"); });
      routes.get("/later", (c) => { setTimeout(() => { throw new Error("late"); }, 0); return c.text("x"); });
      export default { name: "a", routes };`,
  });
  for (const path of ["/a", "/a/throw", "/a/later"]) await reef.call(path);
  await eventually(() => registry.get("a")?.ledger?.lateErrors === 1);
  expect(registry.get("a")?.ledger).toMatchObject({ requests: 0, served: 3, errors: 1, lateErrors: 1 });
  expect(
    registry
      .logs("a")
      .map(({ text }) => text)
      .join(),
  ).toContain("late");
  await registry.reload("a");
  expect(registry.get("a")?.ledger).toMatchObject({ served: 0, errors: 0, lateErrors: 0 });
});

test("a service can load another one from its init, also while it is itself being loaded", async () => {
  const { reef, registry } = await startRegistry();
  reef.sandbox.services({
    "helper/index.ts": answering("helper", "helping"),
    "boss/index.ts": answering("boss", "ready", 'async init(ctx) { await ctx.loadModule("helper"); }'),
  });
  expect(await registry.load("boss")).toEqual({ name: "boss", action: "added" });
  expect(await reef.text("/helper")).toBe("helping");
});
