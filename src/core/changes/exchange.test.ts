import { afterEach, describe, expect, onTestFinished, spyOn, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { endRegistries, failure, startRegistry } from "../../../tests/support/registry.js";
import { answering, eventually, type Reef } from "../../../tests/support/sandbox.js";
import { readConfig } from "../config.js";
import { Serving } from "../dispatch/serving.js";

afterEach(endRegistries);

test("what an init adds to its app counts", async () => {
  const { reef } = await startRegistry({
    "a/index.ts": `import { Hono } from "hono";
      const routes = new Hono();
      export default { name: "a", routes, init() {
        routes.get("/throws", () => { throw new Error("no"); });
        routes.onError((error, c) => c.text("own: " + error.message, 418));
        routes.notFound((c) => c.text("own: nobody", 404));
      } };`,
  });
  for (const time of ["first", "later"]) {
    expect(await reef.text("/a/throws"), time).toBe("own: no");
    expect(await reef.text("/a/nobody"), time).toBe("own: nobody");
  }
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
    [
      "an app that cannot be mounted",
      'import { Hono } from "hono"; export default { name: "a", routes: new Proxy(new Hono(), {}) };',
      "BAD_FIELD",
    ],
    ["another name", 'export default { name: "b" };', "RENAMED"],
    ["a reserved name", 'export default { name: "health" };', "RESERVED_NAME"],
  ])("%s", async (_what, source, code) => {
    const { reef, registry } = await startRegistry({ "a/index.ts": STATEFUL });
    expect(await reef.text("/a")).toBe("old 1");
    reef.sandbox.services({ "a/index.ts": source });
    expect(await failure(registry.load("a"))).toMatchObject({ code });
    await reef.events.emit("ping", 0);
    expect(await reef.text("/a")).toBe("old 102");
    if (code === "RENAMED") expect(registry.get("a")?.failure?.error).toContain('unload "a" first');
    expect(registry.get("a")).toMatchObject({ state: "loaded", generation: 1, failure: { code, name: "a" } });
    expect(registry.get("a")?.ledger?.handlers).toBe(1);
    reef.sandbox.services({ "a/index.ts": answering("a", "mended") });
    await registry.load("a");
    expect(await reef.text("/a")).toBe("mended");
    expect(registry.failures()).toEqual([]);
  });

  test("the subscriptions, timers and disposers of a failed init are gone", async () => {
    const { reef, registry } = await startRegistry({ "a/index.ts": STATEFUL });
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
    const { reef, registry } = await startRegistry({
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

describe("events during an exchange", () => {
  const hearing = (version: string, then = "") => `export default { name: "a", async init(ctx) {
    ctx.events.on("ping", (n) => { globalThis.__heard.push("${version} " + n); });
    await globalThis.__eventGate?.promise;
    ${then}
  } };`;
  const shared = globalThis as unknown as { __heard: string[]; __eventGate?: PromiseWithResolvers<void> };

  test.each([
    ["the new version when it succeeds", "", "new"],
    ["the old version when it fails", 'throw new Error("x");', "old"],
  ])("wait, and are handled once, by %s", async (_what, then, handledBy) => {
    shared.__heard = [];
    shared.__eventGate = undefined;
    const { reef, registry } = await startRegistry({ "a/index.ts": hearing("old") });
    shared.__eventGate = Promise.withResolvers();
    reef.sandbox.services({ "a/index.ts": hearing("new", then) });
    const loading = Promise.allSettled([registry.load("a")]);
    await eventually(() => reef.registry.table.get("a")?.mount.gate !== undefined);
    const emitted = reef.events.emit("ping", 1);
    await Bun.sleep(1);
    expect(shared.__heard).toEqual([]);
    shared.__eventGate.resolve();
    await Promise.all([loading, emitted]);
    await reef.events.emit("ping", 2);
    expect(shared.__heard).toEqual([`${handledBy} 1`, `${handledBy} 2`]);
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
    const { reef, registry } = await startRegistry({
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

  test("need what the new version asks for, also when the old one was open to all", async () => {
    const open = slowInit("open").replace('name: "a",', 'name: "a", requiresAuth: false,');
    const { reef, registry } = await startRegistry({ "a/index.ts": open });
    expect((await reef.app.request("/a")).status).toBe(200);
    shared.__initGate = Promise.withResolvers();
    reef.sandbox.services({ "a/index.ts": slowInit("closed") });
    const loading = registry.load("a");
    await eventually(() => reef.registry.table.get("a")?.mount.gate !== undefined);
    const replies = [reef.app.request("/a"), reef.call("/a")];
    shared.__initGate.resolve();
    await loading;
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([401, 200]);
  });

  test("are not carried out when whoever sent them has gone meanwhile", async () => {
    const asked: string[] = [];
    Object.assign(globalThis, { __asked: asked });
    const { reef, registry } = await startRegistry({ "a/index.ts": slowInit("old") });
    shared.__initGate = Promise.withResolvers();
    const route = 'routes.post("/:who", (c) => { __asked.push(c.req.param("who")); return c.text(""); });';
    reef.sandbox.services({
      "a/index.ts": slowInit("new").replace("export default", `${route} export default`),
    });
    const loading = registry.load("a");
    await eventually(() => reef.registry.table.get("a")?.mount.gate !== undefined);
    const going = new AbortController();
    const gone = reef.call("/a/gone", { method: "POST", signal: going.signal });
    const stays = reef.call("/a/stays", { method: "POST" });
    going.abort();
    shared.__initGate.resolve();
    await loading;
    expect([(await gone).status, (await stays).status]).toEqual([400, 200]);
    expect(asked).toEqual(["stays"]);
  });

  test("are answered by the old version when it fails", async () => {
    const { reef, registry } = await startRegistry({ "a/index.ts": slowInit("old") });
    shared.__initGate = Promise.withResolvers();
    reef.sandbox.services({ "a/index.ts": slowInit("new") });
    const loading = failure(registry.load("a"));
    await eventually(() => (reef.registry.table.get("a")?.mount.gate ?? undefined) !== undefined);
    const reply = reef.text("/a");
    shared.__initGate.reject(new Error("init gave up"));
    expect(await loading).toMatchObject({ code: "INIT_FAILED" });
    expect(await reply).toBe("old");
  });

  test("a service may reload itself from one of its own requests, which is not waited for", async () => {
    const { reef } = await startRegistry({
      "a/index.ts": `import { Hono } from "hono";
        let context;
        const routes = new Hono();
        routes.post("/reload", async (c) => c.json(await context.registry.reload("a")));
        export default { name: "a", routes, init(ctx) { context = ctx; } };`,
    });
    const idle = spyOn(Serving.prototype, "whenIdle");
    try {
      const reply = await reef.call("/a/reload", { method: "POST" });
      expect(await reply.json()).toEqual({ name: "a", action: "updated" });
      // The first wait is the pause.
      expect(await idle.mock.results[0]?.value).toBe(true);
    } finally {
      idle.mockRestore();
    }
  });

  test("those in flight are finished, and what they store is saved, before the new version is imported", async () => {
    const keeping = (version: string) => `import { Hono } from "hono";
      globalThis.__steps.push("import ${version}");
      const routes = new Hono();
      routes.post("/", async (c) => {
        globalThis.__steps.push("begin");
        await globalThis.__initGate.promise;
        globalThis.__steps.push("end");
        return c.text("${version}");
      });
      export default { name: "a", routes, store: { flush() { globalThis.__steps.push("flush ${version}"); } } };`;
    const { __steps: steps } = Object.assign(globalThis, { __steps: [] as string[] });
    shared.__initGate = Promise.withResolvers();
    const { reef, registry } = await startRegistry({ "a/index.ts": keeping("one") });
    const reply = reef.call("/a", { method: "POST" });
    await eventually(() => steps.includes("begin"));
    reef.sandbox.services({ "a/index.ts": keeping("two") });
    const loading = registry.load("a");
    await eventually(() => reef.registry.table.get("a")?.mount.gate !== undefined);
    for (let turn = 0; turn < 20; turn++) await Bun.sleep(1);
    shared.__initGate.resolve();
    expect(await (await reply).text()).toBe("one");
    await loading;
    expect(steps).toEqual(["import one", "begin", "end", "flush one", "import two"]);
  });

  const holding = (version: string, more = "") => `import { Hono } from "hono";
    import { readFileSync, writeFileSync } from "node:fs";
    const file = process.env.REEF_DATA_DIR + "/items.json";
    let items = [];
    try { items = JSON.parse(readFileSync(file, "utf8")); } catch { items = []; }
    const flush = () => writeFileSync(file, JSON.stringify(items));
    const routes = new Hono();
    routes.post("/", async (c) => {
      const item = await c.req.text();
      if (item === "slow") { await globalThis.__initGate.promise; }
      // A timer of its own, which goes with it.
      if (item === "slower") await new Promise((resolve) => setTimeout(resolve, 2500));
      items.push(item);
      if (item === "slower") flush();
      return c.text("${version}", 201);
    });
    routes.get("/", (c) => c.json(items));
    routes.get("/long", async (c) => { await globalThis.__initGate.promise; return c.text("${version}"); });
    routes.get("/stream", () => new Response(new ReadableStream({
      start(c) { c.enqueue(new TextEncoder().encode("${version}")); globalThis.__close = () => c.close(); },
    }), { headers: { "content-type": "text/event-stream" } }));
    export default { name: "a", routes, store: { flush, ${more} } };`;
  const post = (reef: Reef, item: string) => reef.call("/a", { method: "POST", body: item });
  const onDisk = (reef: Reef) => JSON.parse(readFileSync(join(reef.sandbox.dataDir, "items.json"), "utf8"));

  test("a slow one that may be writing is waited for; what it stores is there in the new version", async () => {
    shared.__initGate = Promise.withResolvers();
    const config = readConfig({ REEF_DRAIN_TIMEOUT: "10000" });
    const { reef, registry } = await startRegistry({ "a/index.ts": holding("one") }, { config });
    const slow = post(reef, "slow");
    const reading = reef.text("/a/long");
    reef.sandbox.services({ "a/index.ts": holding("two") });
    const loading = registry.load("a");
    // Longer than those are waited for that only read.
    await Bun.sleep(2200);
    expect(registry.get("a")?.generation).toBe(1);
    shared.__initGate.resolve();
    expect([(await slow).status, await reading]).toEqual([201, "one"]);
    await loading;
    expect(await (await reef.call("/a")).json()).toEqual(["slow"]);
  });

  test("one that may be writing and does not end in time is not acknowledged, and stores nothing later", async () => {
    shared.__initGate = Promise.withResolvers();
    const config = readConfig({ REEF_DRAIN_TIMEOUT: "2100" });
    const { reef, registry } = await startRegistry({ "a/index.ts": holding("one") }, { config });
    const slow = post(reef, "slower");
    const stream = await reef.call("/a/stream");
    reef.sandbox.services({ "a/index.ts": holding("two") });
    await registry.load("a");
    expect((await slow).status).toBe(503);
    expect((await post(reef, "next")).status).toBe(201);
    // The stream has had its time, too: with it, the handler that was given up on would go on.
    await eventually(() => registry.get("a")?.draining === 0);
    expect(onDisk(reef)).not.toContain("slower");
    expect(await (await reef.call("/a")).json()).toEqual(["next"]);
    await stream.body?.cancel();
  });

  /** The same, with a route that reloads the service, and a function that does so later. */
  const reloading = (version: string) =>
    holding(version).replace(
      "export default {",
      `let context;
        routes.post("/reload", async (c) => { await context.registry.reload("a"); return c.text("${version}"); });
        export default { init(ctx) { context = ctx; setTimeout(() => { globalThis.__later = () => ctx.registry.reload("a"); }); },`,
    );

  test.each([
    ["of its requests", (reef: Reef) => reef.call("/a/reload", { method: "POST" })],
    ["of its timers", (_reef: Reef) => (globalThis as unknown as { __later(): Promise<unknown> }).__later()],
  ])("one that may be writing is waited for when its service is reloaded by one %s", async (who, reload) => {
    shared.__initGate = Promise.withResolvers();
    const config = readConfig({ REEF_DRAIN_TIMEOUT: "10000" });
    const { reef, registry } = await startRegistry({ "a/index.ts": reloading("one") }, { config });
    await eventually(() => "__later" in globalThis);
    onTestFinished(() => void Reflect.deleteProperty(globalThis, "__later"));
    const slow = post(reef, "slow");
    reef.sandbox.services({ "a/index.ts": reloading("two") });
    const asked = reload(reef);
    await eventually(() => reef.registry.table.get("a")?.mount.gate !== undefined);
    for (let turn = 0; turn < 20; turn++) await Bun.sleep(1);
    expect(registry.get("a")?.generation).toBe(1);
    shared.__initGate.resolve();
    expect((await slow).status).toBe(201);
    // What that request stored after the change would be lost.
    expect(await asked).toMatchObject(who === "of its requests" ? { status: 503 } : { action: "updated" });
    expect(registry.get("a")?.generation).toBe(2);
    expect(await (await reef.call("/a")).json()).toEqual(["slow"]);
  });

  /** The same, with a route that asks for a change when it is told to, and stores something after it. */
  const askingLater = (version: string, more = "") =>
    reloading(version).replace(
      "export default {",
      `routes.on(["GET", "POST"], "/later", async (c) => {
        await globalThis.__initGate.promise;
        const asking = context.registry.reload("a");
        ${more}
        const result = await asking;
        items.push("later");
        return c.json(result);
      });
      export default {`,
    );
  const startAsking = async (source: string) => {
    shared.__initGate = Promise.withResolvers();
    const config = readConfig({ REEF_DRAIN_TIMEOUT: "60000" });
    const started = await startRegistry({ "a/index.ts": source }, { config });
    onTestFinished(() => void Reflect.deleteProperty(globalThis, "__later"));
    return started;
  };

  test.each([
    ["GET", 200],
    ["POST", 503],
  ])(
    "one that comes to ask for a change itself holds up the exchange no longer, and is not acknowledged if it may write: %s",
    async (method, status) => {
      const { reef, registry } = await startAsking(askingLater("one"));
      const later = reef.call("/a/later", { method });
      const loading = registry.load("a");
      await eventually(() => reef.registry.table.get("a")?.mount.gate !== undefined);
      const before = performance.now();
      shared.__initGate?.resolve();
      await loading;
      // Far below how long a reading one is waited for.
      expect(performance.now() - before).toBeLessThan(1500);
      expect((await later).status).toBe(status);
    },
  );

  test("one that asks for a change, does not wait for it and stores something is there in the new version", async () => {
    const { reef } = await startAsking(
      askingLater("one", 'await Bun.sleep(1); items.push("at once"); return c.text("stored", 201);'),
    );
    const replies = Array.from({ length: 5 }, () => reef.call("/a/later", { method: "POST" }));
    shared.__initGate?.resolve();
    const acknowledged = (await Promise.all(replies)).filter(({ status }) => status === 201).length;
    await eventually(() => reef.registry.table.get("a")?.mount.gate === undefined);
    await reef.ctx.registry.sync();
    const kept = (await (await reef.call("/a")).json()) as string[];
    expect(kept.length).toBeGreaterThanOrEqual(acknowledged);
  });

  /** A service that was exchanged, stored something before and after, and whose old version has a stream open. */
  async function drainingOne() {
    shared.__initGate = Promise.withResolvers();
    const { reef, registry } = await startRegistry({ "a/index.ts": holding("one", "close: flush") });
    expect((await post(reef, "before")).status).toBe(201);
    const stream = await reef.call("/a/stream");
    reef.sandbox.services({ "a/index.ts": holding("two", "close: flush") });
    await registry.load("a");
    expect((await post(reef, "after")).status).toBe(201);
    return { reef, registry, stream };
  }

  test("what the old version saves when it closes does not stay in place of what came later", async () => {
    const { reef, registry, stream } = await drainingOne();
    (globalThis as unknown as { __close(): void }).__close();
    await stream.text();
    await eventually(() => registry.get("a")?.draining === 0);
    expect(onDisk(reef)).toEqual(["before", "after"]);
  });

  test.each<[string, (reef: Reef) => Promise<unknown>]>([
    ["is removed", (reef) => reef.ctx.registry.unload("a")],
    ["is switched off", (reef) => reef.ctx.registry.disable("a")],
    ["ends with the server", (reef) => reef.close()],
  ])(
    "the present version is the last to save when a service %s while older ones drain",
    async (_what, end) => {
      const { reef, stream } = await drainingOne();
      await end(reef);
      expect(onDisk(reef)).toEqual(["before", "after"]);
      await stream.body?.cancel();
      await Bun.sleep(5);
      expect(onDisk(reef)).toEqual(["before", "after"]);
    },
  );

  test("a stream that is open goes on with the old version until it ends", async () => {
    const streaming = (text: string) => `import { Hono } from "hono";
      const routes = new Hono();
      routes.get("/", () => new Response(new ReadableStream({
        start(c) { globalThis.__send = (line) => c.enqueue(new TextEncoder().encode("${text} " + line)); globalThis.__close = () => c.close(); },
      }), { headers: { "content-type": "text/event-stream" } }));
      export default { name: "a", routes, store: { close() { globalThis.__closed = "${text}"; } } };`;
    const { reef, registry } = await startRegistry({ "a/index.ts": streaming("old") });
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
