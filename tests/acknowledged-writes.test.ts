/** What one service acknowledges of another's store is there after that other one was exchanged. */
import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../src/core/config.js";
import { endRegistries, startRegistry } from "./support/registry.js";
import { eventually, type Reef, TOKEN } from "./support/sandbox.js";

afterEach(endRegistries);

/** A store that keeps its items in memory and writes them when it is told to, as many by hand do. */
const keeper = (version: string, more = "") => `import { Hono } from "hono";
  import { readFileSync, writeFileSync } from "node:fs";
  const file = process.env.REEF_DATA_DIR + "/items.json";
  class Store {
    items = [];
    constructor() { try { this.items = JSON.parse(readFileSync(file, "utf8")); } catch { this.items = []; } }
    add(item) { this.items.push(item); return this.items.length; }
    async addLater(item) { await Bun.sleep(1); return this.add(item); }
    flush() { writeFileSync(file, JSON.stringify(this.items)); }
  }
  const store = new Store();
  const routes = new Hono();
  routes.get("/", (c) => c.json(store.items));
  routes.get("/version", (c) => c.text("${version}"));
  ${more}
  export default { name: "keeper", routes, store, async init(ctx) {
    await globalThis.__keeper?.init;
    ctx.events.on("add", async (item) => { globalThis.__keeper.begun = true; await globalThis.__keeper.gate; store.add(item); });
    ctx.events.on("ask-itself", async () => {
      globalThis.__keeper.begun = true;
      await globalThis.__keeper.gate;
      const reply = await ctx.dispatch(new Request("http://h/keeper/version"), { trusted: true });
      globalThis.__keeper.said = await reply.text();
    });
    ctx.events.on("add-by-reload", async (item) => { await ctx.registry.reload("keeper"); });
  } };`;

const writer = `import { Hono } from "hono";
  let ctx;
  const routes = new Hono();
  routes.post("/event/:item", async (c) => { await ctx.events.emit("add", c.req.param("item")); return c.text("ok", 201); });
  routes.post("/store/:item", (c) => { ctx.getStore("keeper").add(c.req.param("item")); return c.text("ok", 201); });
  routes.post("/later/:item", async (c) => { await ctx.getStore("keeper").addLater(c.req.param("item")); return c.text("ok", 201); });
  routes.post("/slow/:item", async (c) => { await ctx.getStore("keeper").addWhenOpen(c.req.param("item")); return c.text("ok", 201); });
  routes.post("/reload", async (c) => { await ctx.events.emit("add-by-reload", 1); return c.text("ok"); });
  export default { name: "writer", routes, init(given) { ctx = given; } };`;

interface Shared {
  begun?: boolean;
  said?: string;
  gate?: Promise<void>;
  init?: Promise<void>;
}

async function start(shared: Shared = {}, more = "", drainMs = "10000") {
  Object.assign(globalThis, { __keeper: shared });
  const config = readConfig({ REEF_DRAIN_TIMEOUT: drainMs });
  const { reef, registry } = await startRegistry(
    { "keeper/index.ts": keeper("one", more), "writer/index.ts": writer },
    { config },
  );
  const post = async (path: string) => (await reef.call(path, { method: "POST" })).status;
  const items = async () => (await (await reef.call("/keeper")).json()) as string[];
  return { reef, registry, post, items, shared };
}

const onDisk = (reef: Reef) => JSON.parse(readFileSync(join(reef.sandbox.dataDir, "items.json"), "utf8"));
const isPaused = (reef: Reef) => reef.registry.table.get("keeper")?.mount.gate !== undefined;

describe("a handler of an event that is still at it", () => {
  test("is waited for before the store is saved", async () => {
    const { promise: gate, resolve } = Promise.withResolvers<void>();
    const { reef, registry, post, items, shared } = await start({ gate });
    const emitting = post("/writer/event/x");
    await eventually(() => shared.begun === true);
    const loading = registry.reload("keeper");
    await eventually(() => isPaused(reef));
    await Bun.sleep(20);
    resolve();
    expect(await emitting).toBe(201);
    await loading;
    expect([await items(), onDisk(reef)]).toEqual([["x"], ["x"]]);
  });

  test("is not waited for when it waits for the exchange itself", async () => {
    const { registry, post } = await start({}, "", "600000");
    expect(await post("/writer/reload")).toBe(200);
    expect(registry.get("keeper")?.generation).toBe(2);
  });
});

describe("a store that is reached from another service", () => {
  test.each(["store", "later"])(
    "loses nothing that it acknowledged while it is exchanged (%s)",
    async (way) => {
      const { registry, post, items } = await start();
      const acknowledged: string[] = [];
      const refused = new Set<number>();
      let isOver = false;
      const writing = (async () => {
        for (let n = 0; !isOver; n++) {
          const status = await post(`/writer/${way}/${n}`);
          if (status === 201) acknowledged.push(String(n));
          else refused.add(status);
          await Bun.sleep(0);
        }
      })();
      for (let n = 0; n < 10; n++) {
        const { promise: init, resolve } = Promise.withResolvers<void>();
        Object.assign(globalThis, { __keeper: { init } });
        const before = acknowledged.length;
        const loading = registry.reload("keeper");
        await Bun.sleep(15);
        resolve();
        await loading;
        await eventually(() => acknowledged.length > before);
      }
      isOver = true;
      await writing;
      expect((await items()).toSorted()).toEqual(acknowledged.toSorted());
      expect([...refused].filter((status) => status !== 503)).toEqual([]);
    },
  );
});

describe("what the next version reaches its own store by while it starts", () => {
  /** A service whose `init` asks another one, which asks its store. */
  const asking = (ask: string) => `let inits = 0;
    class Store { n = 0; list() { return ["x"]; } async listLater() { await Bun.sleep(1); return ["x"]; } flush() {} }
    export default { name: "self", store: new Store(), async init(ctx) {
      globalThis.__asked.inits++;
      ${ask}
    } };`;
  const helper = `export default { name: "helper", init(ctx) {
    ctx.events.on("ready", async (method) => { globalThis.__asked.got.push(await ctx.getStore("self")?.[method]()); });
  } };`;

  test.each([
    ["a handler that calls it", 'await ctx.events.emit("ready", "list");'],
    ["a handler that waits for it", 'await ctx.events.emit("ready", "listLater");'],
    ["its own handle", 'globalThis.__asked.got.push(await ctx.getStore("self")?.listLater());'],
  ])("%s neither holds it up nor has it start again", async (_way, ask) => {
    const asked = { inits: 0, got: [] as unknown[] };
    Object.assign(globalThis, { __asked: asked });
    const services = { "helper/index.ts": helper, "self/index.ts": asking(ask) };
    const { reef, registry } = await startRegistry(services);
    asked.inits = 0;
    asked.got = [];
    await registry.reload("self");
    expect(asked).toEqual({ inits: 1, got: [["x"]] });
    expect(reef.registry.failures.list()).toEqual([]);
  });
});

test("calls of its store that overlap without end do not hold up its exchange", async () => {
  const { reef, registry } = await start({}, "", "600000");
  const store = reef.ctx.getStore<{ addLater(item: string): Promise<number> }>("keeper");
  let isOver = false;
  let calls = 0;
  const call = async (): Promise<void> => {
    while (!isOver) {
      await store?.addLater("x");
      calls++;
    }
  };
  const calling = Promise.all([call(), call(), call()]);
  await eventually(() => calls > 10);
  await registry.reload("keeper");
  const before = calls;
  await eventually(() => calls > before + 10);
  isOver = true;
  await calling;
  expect((await (await reef.call("/keeper")).json()).length).toBe(calls);
});

describe("a store that saves at once, without flush", () => {
  const saving = `import { appendFileSync } from "node:fs";
    const store = { async add(item) { await Bun.sleep(60); appendFileSync(process.env.REEF_DATA_DIR + "/lines", item + "\\n"); }, close() {} };
    export default { name: "saver", store, init(ctx) { ctx.events.on("save", (item) => store.add(item)); } };`;

  test.each(["reload", "unload", "close"] as const)(
    "finishes what others have begun before it goes (%s)",
    async (way) => {
      const { reef, registry } = await startRegistry({ "saver/index.ts": saving });
      const store = reef.ctx.getStore<{ add(item: string): Promise<void> }>("saver");
      const doing = [store?.add("by handle"), reef.events.emit("save", "by event")];
      await Bun.sleep(5);
      if (way === "close") await reef.close(1000);
      else await registry[way]("saver");
      await Promise.all(doing);
      const lines = readFileSync(join(reef.sandbox.dataDir, "lines"), "utf8").trim().split("\n");
      expect(lines.toSorted()).toEqual(["by event", "by handle"]);
    },
  );
});

describe("what outlives the limits", () => {
  test("is not acknowledged", async () => {
    const { promise: gate, resolve } = Promise.withResolvers<void>();
    const { registry, post, items, shared } = await start(
      { gate },
      "store.addWhenOpen = async (item) => { globalThis.__keeper.begun = true; await globalThis.__keeper.gate; return store.add(item); };",
      "0",
    );
    const asking = post("/writer/slow/x");
    await eventually(() => shared.begun === true);
    await registry.reload("keeper");
    resolve();
    expect(await asking).toBe(503);
    expect(await items()).toEqual([]);
  }, 20_000);
});

test("what is done through the registry counts like a call of the store", async () => {
  const { promise: init, resolve } = Promise.withResolvers<void>();
  const { reef, registry, items } = await start();
  Object.assign(globalThis, { __keeper: { init } });
  const loading = registry.reload("keeper");
  const handedOver = () =>
    reef.registry.table.get("keeper")?.current.generation.scope.flushWindow !== undefined;
  await eventually(handedOver);
  interface Adds {
    add(item: string): void;
  }
  const adding = registry.run("keeper", async ({ store }) => (store as unknown as Adds).add("later"));
  registry.run("keeper", ({ store }) => (store as unknown as Adds).add("at once"));
  resolve();
  await Promise.all([loading, adding]);
  expect((await items()).toSorted()).toEqual(["at once", "later"]);
});

test("a handler of an event that asks its own service for something is not waited for in vain", async () => {
  const { reef, registry, shared } = await start({}, "", "600000");
  const { promise: gate, resolve } = Promise.withResolvers<void>();
  shared.gate = gate;
  const emitting = reef.events.emit("ask-itself", 0);
  await eventually(() => shared.begun === true);
  const loading = registry.reload("keeper");
  await eventually(() => isPaused(reef));
  resolve();
  await emitting;
  await loading;
  expect(shared.said).toBe("one");
});

describe("a reply to a POST that is still being sent", () => {
  const streaming = `routes.post("/stream", (c) => new Response(new ReadableStream({
    async pull(stream) {
      const item = await globalThis.__keeper.next();
      if (item === undefined) return stream.close();
      store.add(item);
      stream.enqueue(new TextEncoder().encode("saved " + item + "\\n"));
    },
  })));`;

  test("is waited for: what it acknowledges is in the new version", async () => {
    const given: Array<PromiseWithResolvers<string | undefined>> = [0, 1, 2].map(() =>
      Promise.withResolvers(),
    );
    let at = 0;
    const shared = { next: () => given[at++]?.promise } as Shared;
    const { reef, registry, items } = await start(shared, streaming);
    given[0]?.resolve("a");
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request, bun) => reef.app.fetch(request, bun),
    });
    try {
      const reply = await fetch(`${server.url}keeper/stream`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      const loading = registry.reload("keeper");
      await eventually(() => isPaused(reef));
      await Bun.sleep(20);
      given[1]?.resolve("b");
      given[2]?.resolve(undefined);
      expect(await reply.text()).toBe("saved a\nsaved b\n");
      await loading;
      expect(await items()).toEqual(["a", "b"]);
    } finally {
      await server.stop(true);
    }
  });
});
