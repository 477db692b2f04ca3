import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { endRegistries, startRegistry } from "../../tests/support/registry.js";
import { answering, eventually } from "../../tests/support/sandbox.js";

afterEach(endRegistries);

describe("what the old version opened", () => {
  test("is gone after a reload and after an unload: handlers and timers do not add up", async () => {
    const { reef, registry } = await startRegistry({
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

  test("hears no events once it is being removed, while its last request is answered", async () => {
    const { reef, registry } = await startRegistry({
      "a/index.ts": `import { Hono } from "hono";
        globalThis.__leaving = { heard: 0, asked: false, gate: Promise.withResolvers() };
        const leaving = globalThis.__leaving;
        const routes = new Hono();
        routes.get("/", async (c) => { leaving.asked = true; await leaving.gate.promise; return c.text("last"); });
        export default { name: "a", routes, init(ctx) { ctx.events.on("ping", () => { leaving.heard++; }); } };`,
    });
    const { __leaving: leaving } = globalThis as unknown as {
      __leaving: { heard: number; asked: boolean; gate: PromiseWithResolvers<void> };
    };
    const last = reef.text("/a");
    await eventually(() => leaving.asked);
    const gone = registry.unload("a");
    await eventually(() => registry.get("a") === undefined);
    await reef.events.emit("ping", 0);
    leaving.gate.resolve();
    expect([await last, leaving.heard]).toEqual(["last", 0]);
    await gone;
  });

  test("is saved, then let go of in order: dispose, then close, then the scope", async () => {
    const { registry } = await startRegistry({
      "a/index.ts": `globalThis.__order = [];
        const note = (what) => () => { globalThis.__order.push(what); };
        export default { name: "a", store: { flush: note("flush"), close: note("close") }, dispose: note("dispose"),
          init(ctx) { ctx.onDispose(note("scope")); ctx.signal.addEventListener("abort", note("signal")); } };`,
    });
    await registry.unload("a");
    expect((globalThis as unknown as Record<string, unknown>).__order).toEqual([
      "flush",
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
    const { reef, registry } = await startRegistry();
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
    const { reef, registry } = await startRegistry({
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

describe("the store of code that did not come to serve", () => {
  const store = "store: { flush() { __unused.push('flush'); }, close() { __unused.push('close'); } },";

  test.each<[string, string, string[]]>([
    ["since its init failed is closed", answering("a", "x", `${store} init() { throw 1; },`), ["close"]],
    ["since its name is taken is left alone", answering("b", "x", store), []],
    [
      "since it needs what is not there is left alone",
      answering("a", "x", `${store} dependencies: ["no"],`),
      [],
    ],
    [
      "since its app cannot be mounted is left alone",
      `import { Hono } from "hono"; export default { name: "a", routes: new Proxy(new Hono(), {}), ${store} };`,
      [],
    ],
  ])("%s", async (_why, code, done) => {
    const did: string[] = [];
    Object.assign(globalThis, { __unused: did });
    const { reef, registry } = await startRegistry({
      "b/index.ts": answering("b", "b"),
      "at-start/index.ts": code,
    });
    expect([reef.registry.failures.list().length, did]).toEqual([1, done]);
    did.length = 0;
    await expect(registry.load("at-start")).rejects.toThrow();
    expect(did).toEqual(done);
  });
});
