import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { answering, eventually, type Files, type Reef, startReef } from "../../tests/support/sandbox.js";
import type { LoadFailure } from "./load-failure.js";

const open: Reef[] = [];
afterEach(async () => {
  for (const reef of open.splice(0)) await reef.end();
});
async function start(services: Files, options: Parameters<typeof startReef>[1] = {}) {
  const reef = await startReef(services, options);
  open.push(reef);
  return { reef, registry: reef.ctx.registry };
}
const failure = (change: Promise<unknown>): Promise<LoadFailure> =>
  change.then(
    () => {
      throw new Error("it succeeded");
    },
    (error) => error,
  );

describe("load", () => {
  test("adds a folder, then exchanges it for its present code", async () => {
    const { reef, registry } = await start({});
    reef.sandbox.services({ "a/index.ts": answering("a", "one") });
    expect(await registry.load("a")).toEqual({ name: "a", action: "added" });
    reef.sandbox.services({ "a/index.ts": answering("a", "two") });
    expect(await reef.text("/a")).toBe("one");
    expect(await registry.load("a")).toEqual({ name: "a", action: "updated" });
    expect(await reef.text("/a")).toBe("two");
    expect(registry.get("a")).toMatchObject({ state: "loaded", dirName: "a", generation: 2 });
  });

  test("serves under the module's name, which need not be the folder's", async () => {
    const { reef, registry } = await start({});
    reef.sandbox.services({ "folder/index.ts": answering("shown", "x") });
    expect(await registry.load("folder")).toEqual({ name: "shown", action: "added" });
    expect(await reef.text("/shown")).toBe("x");
    expect(await registry.reload("shown")).toEqual({ name: "shown", action: "updated" });
    expect((await reef.call("/folder")).status).toBe(404);
  });

  test.each(["../outside", "..", ".", "", "a/b", ".hidden", "a%2fb", "/etc"])(
    "%p is no folder name; nothing outside the services folder is run",
    async (dirName) => {
      const { reef, registry } = await start({});
      reef.sandbox.write("outside/index.ts", 'globalThis.__ran = true; export default { name: "x" };');
      expect(await failure(registry.load(dirName))).toMatchObject({ code: "BAD_FOLDER" });
      expect("__ran" in globalThis).toBe(false);
    },
  );

  test("an unknown folder is refused and leaves no trace", async () => {
    const { registry } = await start({});
    expect(await failure(registry.load("ghost"))).toMatchObject({ code: "UNKNOWN" });
    expect(await failure(registry.reload("ghost"))).toMatchObject({ code: "UNKNOWN" });
    expect(registry.list()).toEqual([]);
  });

  test("changes auth, root mount and routes with the code", async () => {
    const { reef, registry } = await start({ "a/index.ts": answering("a", "closed") });
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

describe("a failed exchange keeps the old version", () => {
  const STATEFUL = `import { Hono } from "hono";
    let n = 0;
    const routes = new Hono();
    routes.get("/", (c) => c.text("old " + ++n));
    export default { name: "a", routes, init(ctx) { ctx.events.on("ping", () => { n += 100; }); } };`;
  const broken = (init: string) => `export default { name: "a", init(ctx) { ${init} } };`;

  test.each<[string, string, string]>([
    ["syntax", "export default {{{", "IMPORT_FAILED"],
    ["import", 'throw new Error("x");', "IMPORT_FAILED"],
    ["no module", "export default 7;", "NO_DEFAULT_EXPORT"],
    ["a throwing init", broken('throw new Error("x");'), "INIT_FAILED"],
    ["a rejecting init", broken('return Promise.reject(new Error("x"));'), "INIT_FAILED"],
    ["a missing dependency", 'export default { name: "a", dependencies: ["ghost"] };', "MISSING_DEPENDENCY"],
    ["itself as a dependency", 'export default { name: "a", dependencies: ["a"] };', "DEPENDENCY_CYCLE"],
    ["another name", 'export default { name: "b" };', "RENAMED"],
    ["a reserved name", 'export default { name: "health" };', "RESERVED_NAME"],
  ])("%s", async (_what, source, code) => {
    const { reef, registry } = await start({ "a/index.ts": STATEFUL });
    expect(await reef.text("/a")).toBe("old 1");
    reef.sandbox.services({ "a/index.ts": source });
    expect(await failure(registry.load("a"))).toMatchObject({ code });
    await reef.events.emit("ping", 0);
    expect(await reef.text("/a")).toBe("old 102");
    expect(registry.get("a")).toMatchObject({ state: "loaded", generation: 1, failure: { code, name: "a" } });
    expect(registry.get("a")?.ledger?.handlers).toBe(1);
    reef.sandbox.services({ "a/index.ts": answering("a", "mended") });
    await registry.load("a");
    expect(await reef.text("/a")).toBe("mended");
    expect(registry.failures()).toEqual([]);
  });

  test("the subscriptions, timers and disposers of a failed init are gone", async () => {
    const { reef, registry } = await start({ "a/index.ts": STATEFUL });
    reef.sandbox.services({
      "a/index.ts": broken(`globalThis.__failedInit = [];
        ctx.events.on("ping", () => globalThis.__failedInit.push("event"));
        ctx.setInterval(() => globalThis.__failedInit.push("ctx timer"), 1);
        setInterval(() => globalThis.__failedInit.push("own timer"), 1);
        ctx.onDispose(() => globalThis.__failedInit.push("disposed"));
        throw new Error("x");`),
    });
    await failure(registry.load("a"));
    await reef.events.emit("ping", 0);
    await Bun.sleep(10);
    expect((globalThis as unknown as Record<string, unknown>).__failedInit).toEqual(["disposed"]);
  });

  test("a store that cannot be saved stops the exchange before anything is imported", async () => {
    const { reef, registry } = await start({
      "a/index.ts": `${STATEFUL.replace('name: "a",', 'name: "a", store: { flush() { throw new Error("disk full"); } },')}`,
    });
    reef.sandbox.services({ "a/index.ts": 'globalThis.__imported = true; export default { name: "a" };' });
    const refused = await failure(registry.load("a"));
    expect(refused).toMatchObject({ code: "FLUSH_FAILED" });
    expect(refused.message).toContain("disk full");
    expect("__imported" in globalThis).toBe(false);
    expect(await reef.text("/a")).toBe("old 1");
  });
});

describe("what the old version opened", () => {
  test("is gone after a reload and after an unload: handlers and timers do not add up", async () => {
    const { reef, registry } = await start({
      "a/index.ts": `globalThis.__beats ??= [];
        const id = Symbol();
        setInterval(() => globalThis.__beats.push(id), 1);
        export default { name: "a", init(ctx) {
          ctx.events.on("ping", () => globalThis.__beats.push("ping"));
          ctx.setInterval(() => globalThis.__beats.push(id), 1);
        } };`,
    });
    const beats = (globalThis as unknown as { __beats: unknown[] }).__beats;
    const living = async () => {
      beats.length = 0;
      await eventually(() => beats.length > 4);
      return new Set(beats).size;
    };
    for (let n = 0; n < 10; n++) await registry.reload("a");
    await eventually(() => registry.get("a")?.draining === 0);
    expect(await living()).toBe(1);
    beats.length = 0;
    await reef.events.emit("ping", 0);
    expect(beats.filter((beat) => beat === "ping")).toHaveLength(1);
    expect(registry.get("a")?.ledger).toMatchObject({ handlers: 1, timers: 1 });
    await registry.unload("a");
    beats.length = 0;
    await reef.events.emit("ping", 0);
    await Bun.sleep(10);
    expect(beats).toEqual([]);
  });

  test("is let go of in order: dispose, then close, then the scope", async () => {
    const { registry } = await start({
      "a/index.ts": `globalThis.__order = [];
        const note = (what) => () => { globalThis.__order.push(what); };
        export default { name: "a", store: { flush: note("flush"), close: note("close") }, dispose: note("dispose"),
          init(ctx) { ctx.onDispose(note("scope")); ctx.signal.addEventListener("abort", note("signal")); } };`,
    });
    await registry.unload("a");
    expect((globalThis as unknown as Record<string, unknown>).__order).toEqual([
      "dispose",
      "flush",
      "close",
      "signal",
      "scope",
    ]);
  });
});

describe("data", () => {
  /** As authors write it by hand: read at import, written 100 ms after a change, `flush` writes at once. */
  const CONTRACT_STORE = `
    import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
    import { dirname } from "node:path";
    export class Store {
      items = new Map();
      timer = null;
      constructor(filePath) {
        this.filePath = filePath;
        if (existsSync(filePath)) for (const item of JSON.parse(readFileSync(filePath, "utf8")).items) this.items.set(item, item);
      }
      add(item) {
        this.items.set(item, item);
        this.timer ??= setTimeout(() => { this.timer = null; this.flush(); }, 100);
      }
      flush() {
        if (this.timer) { clearTimeout(this.timer); this.timer = null; }
        mkdirSync(dirname(this.filePath), { recursive: true });
        writeFileSync(this.filePath, JSON.stringify({ items: [...this.items.keys()] }));
      }
    }`;
  const service = (file: string) => `
    import { Hono } from "hono";
    import { Store } from "./store.js";
    const store = new Store(${JSON.stringify(file)});
    const routes = new Hono();
    routes.post("/:item", (c) => { store.add(c.req.param("item")); return c.json({}, 201); });
    routes.get("/", (c) => c.json([...store.items.keys()]));
    export default { name: "items", routes, store };`;

  test("acknowledged by a store that writes later survives every reload, and is on disk after the last", async () => {
    const { reef, registry } = await start({});
    const file = join(reef.sandbox.dataDir, "items.json");
    reef.sandbox.services({ "items/store.ts": CONTRACT_STORE, "items/index.ts": service(file) });
    await registry.load("items");
    const acknowledged: string[] = [];
    let reloads = 0;
    let stop = false;
    const write = async (writer: number) => {
      for (let n = 0; !stop; n++) {
        const item = `${writer}-${n}`;
        const reply = await reef.call(`/items/${item}`, { method: "POST" });
        expect(reply.status).toBe(201);
        acknowledged.push(item);
        await Bun.sleep(0);
      }
    };
    const writers = [write(1), write(2), write(3)];
    for (; reloads < 60; reloads++) {
      const before = acknowledged.length;
      await eventually(() => acknowledged.length > before);
      await registry.reload("items");
    }
    stop = true;
    await Promise.all(writers);
    expect(acknowledged.length).toBeGreaterThanOrEqual(60);
    const kept = (await (await reef.call("/items")).json()) as string[];
    expect(kept.toSorted()).toEqual(acknowledged.toSorted());
    await registry.unload("items");
    expect(JSON.parse(readFileSync(file, "utf8")).items.toSorted()).toEqual(acknowledged.toSorted());
  });

  test("a store's close comes after the last request of its version, however long that takes", async () => {
    const { reef, registry } = await start({
      "a/index.ts": `import { Hono } from "hono";
        globalThis.__events = [];
        const gate = Promise.withResolvers();
        globalThis.__gate = gate;
        const routes = new Hono();
        routes.get("/slow", async (c) => { globalThis.__events.push("begins"); await gate.promise; globalThis.__events.push("ends"); return c.text("slow"); });
        export default { name: "a", routes, store: { close() { globalThis.__events.push("closed"); } } };`,
    });
    const shared = globalThis as unknown as { __events: string[]; __gate: PromiseWithResolvers<void> };
    const { __events: events, __gate: gate } = shared;
    const slow = reef.text("/a/slow");
    await eventually(() => events.length === 1);
    reef.sandbox.services({ "a/index.ts": answering("a", "new") });
    await registry.load("a");
    expect([await reef.text("/a"), events]).toEqual(["new", ["begins"]]);
    gate.resolve();
    expect(await slow).toBe("slow");
    await eventually(() => events.length === 3);
    expect(events).toEqual(["begins", "ends", "closed"]);
  });
});

describe("requests during an exchange", () => {
  const slowInit = (text: string) =>
    answering("a", text, "async init() { await globalThis.__initGate?.promise; }");
  const shared = globalThis as unknown as { __initGate: PromiseWithResolvers<void> | undefined };
  afterEach(() => {
    shared.__initGate = undefined;
  });

  test("wait and are answered by the new version, none fails", async () => {
    const { reef, registry } = await start({
      "a/index.ts": slowInit("old"),
      "b/index.ts": answering("b", "b"),
    });
    shared.__initGate = Promise.withResolvers();
    reef.sandbox.services({ "a/index.ts": slowInit("new") });
    const loading = registry.load("a");
    await eventually(() => (reef.registry.table.get("a")?.mount.gate ?? undefined) !== undefined);
    const replies = Array.from({ length: 20 }, () => reef.call("/a"));
    expect(await reef.text("/b")).toBe("b");
    expect((await reef.app.request("/a")).status).toBe(401);
    shared.__initGate.resolve();
    await loading;
    for (const reply of await Promise.all(replies))
      expect([reply.status, await reply.text()]).toEqual([200, "new"]);
  });

  test("are answered by the old version when it fails", async () => {
    const { reef, registry } = await start({ "a/index.ts": slowInit("old") });
    shared.__initGate = Promise.withResolvers();
    reef.sandbox.services({ "a/index.ts": slowInit("new") });
    const loading = failure(registry.load("a"));
    await eventually(() => (reef.registry.table.get("a")?.mount.gate ?? undefined) !== undefined);
    const reply = reef.text("/a");
    shared.__initGate.reject(new Error("init gave up"));
    expect(await loading).toMatchObject({ code: "INIT_FAILED" });
    expect(await reply).toBe("old");
  });

  test("a service may reload itself from one of its own requests", async () => {
    const { reef } = await start({
      "a/index.ts": `import { Hono } from "hono";
        let context;
        const routes = new Hono();
        routes.post("/reload", async (c) => c.json(await context.registry.reload("a")));
        export default { name: "a", routes, init(ctx) { context = ctx; } };`,
    });
    const reply = await reef.call("/a/reload", { method: "POST" });
    expect(await reply.json()).toEqual({ name: "a", action: "updated" });
  });

  test("a stream that is open goes on with the old version until it ends", async () => {
    const streaming = (text: string) => `import { Hono } from "hono";
      const routes = new Hono();
      routes.get("/", () => new Response(new ReadableStream({
        start(c) { globalThis.__send = (line) => c.enqueue(new TextEncoder().encode("${text} " + line)); globalThis.__close = () => c.close(); },
      }), { headers: { "content-type": "text/event-stream" } }));
      export default { name: "a", routes, store: { close() { globalThis.__closed = "${text}"; } } };`;
    const { reef, registry } = await start({ "a/index.ts": streaming("old") });
    const hooks = globalThis as unknown as { __send(line: string): void; __close(): void; __closed?: string };
    delete hooks.__closed;
    const reader = (await reef.call("/a")).body?.getReader();
    const { __send: send, __close: close } = hooks;
    const read = async () => new TextDecoder().decode((await reader?.read())?.value);
    send("1");
    expect(await read()).toBe("old 1");
    reef.sandbox.services({ "a/index.ts": streaming("new") });
    await registry.load("a");
    expect(registry.get("a")).toMatchObject({ generation: 2, draining: 1 });
    send("2");
    expect([await read(), hooks.__closed]).toEqual(["old 2", undefined]);
    close();
    await reader?.read();
    await eventually(() => hooks.__closed === "old");
    expect(registry.get("a")?.draining).toBe(0);
  });
});

describe("the queue", () => {
  test("runs one change after the other, also when they are asked for at once", async () => {
    const { registry } = await start({
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
    const { reef, registry } = await start({
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
    const { reef, registry } = await start(pair);
    const refused = await failure(registry.unload("base"));
    expect(refused).toMatchObject({ code: "IN_USE" });
    expect(refused.message).toContain('"top"');
    expect(await reef.text("/base")).toBe("base");
    await registry.unload("base", { force: true });
    expect((await reef.call("/base")).status).toBe(404);
    expect(reef.liveModules.has("base")).toBe(false);
  });

  test("of an unknown service says so; a service cannot remove itself", async () => {
    const { reef, registry } = await start({
      "a/index.ts": 'export default { name: "a", init(ctx) { globalThis.__ctx = ctx; } };',
    });
    expect(await failure(registry.unload("ghost"))).toMatchObject({ code: "UNKNOWN" });
    const own = (globalThis as unknown as { __ctx: typeof reef.ctx }).__ctx;
    expect(await failure(own.unloadModule("a"))).toMatchObject({ code: "PROTECTED" });
  });

  test("a module object can be unloaded but not reloaded", async () => {
    const { registry } = await start({}, { modules: [{ name: "obj" }] });
    expect(await failure(registry.reload("obj"))).toMatchObject({ code: "PROTECTED" });
    await registry.unload("obj");
    expect(registry.list()).toEqual([]);
  });
});

describe("sync", () => {
  test("adds, updates and removes, and leaves what has not changed alone", async () => {
    const { reef, registry } = await start({
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
    const { reef, registry } = await start({});
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
    const { reef, registry } = await start({ "bad/index.ts": "throw 1;", "worse/index.ts": "throw 2;" });
    expect(registry.failures().map(({ name }) => name)).toEqual(["bad", "worse"]);
    reef.sandbox.services({ "bad/index.ts": answering("bad", "good now") });
    rmSync(join(reef.sandbox.servicesDir, "worse"), { recursive: true });
    expect((await registry.sync()).results).toEqual([{ name: "bad", action: "added" }]);
    expect(registry.failures()).toEqual([]);
  });
});

test("list shows failed folders with step, code and reason", async () => {
  const { registry } = await start({
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
  const { reef, registry } = await start({
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
  const reef = await startReef({});
  reef.sandbox.services({
    "helper/index.ts": answering("helper", "helping"),
    "boss/index.ts": answering("boss", "ready", 'async init(ctx) { await ctx.loadModule("helper"); }'),
  });
  try {
    expect(await reef.ctx.registry.load("boss")).toEqual({ name: "boss", action: "added" });
    expect(await reef.text("/helper")).toBe("helping");
  } finally {
    await reef.end();
  }
});
