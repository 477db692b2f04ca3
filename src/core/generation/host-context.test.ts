import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { answering, type Reef, startReef, TOKEN } from "../../../tests/support/sandbox.js";
import { inHost } from "./host-context.js";

test("code that is called in the host's context does not run in the caller's", () => {
  const graph = new Bun.ModuleGraph();
  const seen = graph.run(() => [Bun.ModuleGraph.current === graph, inHost(() => Bun.ModuleGraph.current)]);
  expect(seen).toEqual([true, undefined]);
  graph.dispose();
});

test("a service that another one loaded outlives it, with its timers and asynchronous handlers", async () => {
  const reef = await startReef({
    "loader/index.ts": `import { Hono } from "hono";
      let ctx;
      const routes = new Hono();
      routes.post("/:name", async (c) => c.json(await ctx.registry.load(c.req.param("name"))));
      export default { name: "loader", routes, init(given) { ctx = given; } };`,
  });
  reef.sandbox.services({
    "loaded/index.ts": `import { Hono } from "hono";
      let ticks = 0;
      setInterval(() => ticks++, 1);
      const routes = new Hono();
      routes.get("/", async (c) => {
        const before = ticks;
        while (ticks === before) await Bun.sleep(1);
        return c.text("ticking");
      });
      export default { name: "loaded", routes };`,
  });
  await reef.call("/loader/loaded", { method: "POST" });
  expect(await reef.text("/loaded")).toBe("ticking");
  await reef.ctx.registry.unload("loader");
  expect(await reef.text("/loaded")).toBe("ticking");
  await reef.end();
});

test("a service may have itself exchanged and hears how it went", async () => {
  const source = (label: string) => `import { Hono } from "hono";
    let ctx;
    const routes = new Hono();
    routes.post("/reload", async (c) => c.json({ by: "${label}", ...(await ctx.registry.sync()) }));
    routes.get("/", (c) => c.text("${label}"));
    export default { name: "self", routes, init(given) { ctx = given; } };`;
  const reef = await startReef({ "self/index.ts": source("one"), "other/index.ts": answering("other", "a") });
  reef.sandbox.services({ "self/index.ts": source("two"), "other/index.ts": answering("other", "b") });
  const reply = await (await reef.call("/self/reload", { method: "POST" })).json();
  expect(reply.by).toBe("one");
  expect(reply.results.map(({ name }: { name: string }) => name).sort()).toEqual(["other", "self"]);
  expect(await reef.text("/self")).toBe("two");
  expect(await reef.text("/other")).toBe("b");
  await reef.end();
});

/** Makes a request that is let in. */
const ASKS = `const asks = (path, method = "GET") =>
new Request("http://localhost" + path, { method, headers: { authorization: "Bearer ${TOKEN}" } });`;

const shared = globalThis as unknown as { __seen: unknown; __heard: string[] };

describe("what the next version's init asks for", () => {
  const a = (version: string, init = "") => `import { Hono } from "hono";
  ${ASKS}
  const items = [];
  const routes = new Hono().get("/", (c) => c.text("${version}"));
  routes.post("/", (c) => { items.push(1); return c.text("stored"); });
  export default { name: "a", routes, store: { flush() {} }, async init(ctx) {
    ctx.events.on("asked", () => { globalThis.__heard.push("${version}"); });
    ${init}
  } };`;

  /** Whoever is asked by it asks it in turn. */
  const B = `import { Hono } from "hono";
  ${ASKS}
  let ctx;
  const routes = new Hono();
  routes.get("/ask", async (c) => ctx.dispatch(asks("/a")));
  routes.get("/tell", async (c) => { await ctx.events.emit("asked", 1); return c.text("told"); });
  export default { name: "b", routes, init(given) {
    ctx = given;
    ctx.events.on("come", async () => { globalThis.__seen = await (await ctx.dispatch(asks("/a"))).text(); });
  } };`;

  let reef: Reef;
  beforeEach(async () => {
    Object.assign(shared, { __seen: undefined, __heard: [] });
    reef = await startReef({ "a/index.ts": a("old"), "b/index.ts": B });
  });
  afterEach(() => reef.end());

  const exchange = (init: string) => {
    reef.sandbox.services({ "a/index.ts": a("new", init) });
    return reef.ctx.registry.load("a");
  };
  const seen = (request: string) => `const reply = await ctx.dispatch(${request});
  globalThis.__seen = [reply.status, await reply.text()];`;

  test.each([
    ["its own routes", seen('asks("/a")'), [200, "old"]],
    ["them by way of another", seen('asks("/b/ask")'), [200, "old"]],
    ["them by way of an event", 'await ctx.events.emit("come", 1);', "old"],
  ])("of %s, the version answers that serves", async (_of, init, answer) => {
    await exchange(init);
    expect(shared.__seen).toEqual(answer);
    expect(await reef.text("/a")).toBe("new");
  });

  test("and would store with the version that serves, which has saved, is refused", async () => {
    await exchange(seen('asks("/a", "POST")'));
    expect(shared.__seen).toEqual([503, '{"error":"the service is being changed; try again"}']);
  });

  test("by an event is heard by the next version once it serves, and not waited for", async () => {
    await exchange(seen('asks("/b/tell")'));
    expect(shared.__seen).toEqual([200, "told"]);
    await reef.events.emit("come", 1);
    expect(shared.__heard).toEqual(["new"]);
  });
});

describe("a store that says so when it is saved, and is looked at then", () => {
  const a = (version: string) => `import { Hono } from "hono";
    let ctx;
    const store = {
      async list() { return ["${version}"]; },
      async flush() { await ctx.events.emit("saved", 1); },
    };
    const routes = new Hono().get("/", (c) => c.text("${version}"));
    export default { name: "a", routes, store, init(given) { ctx = given; ctx.events.on("looked", () => {}); } };`;

  test("is saved again before the next version is started, which is started once", async () => {
    Object.assign(shared, { __heard: [] });
    const noting = (version: string) =>
      a(version).replace("init(given) {", `init(given) { globalThis.__heard.push("start ${version}");`);
    const reef = await startReef({
      "a/index.ts": noting("old"),
      "b/index.ts": `export default { name: "b", init(ctx) {
        ctx.events.on("saved", async () => { globalThis.__heard.push("saved", ...(await ctx.getStore("a").list())); });
      } };`,
    });
    reef.sandbox.services({ "a/index.ts": noting("new") });
    await reef.ctx.registry.load("a");
    // The last time nobody can say whether it would be stored too late: it is refused.
    expect(shared.__heard).toEqual(["start old", "saved", "old", "saved", "old", "start new"]);
    await reef.end();
  });

  test.each([
    ["its routes", 'await (await ctx.dispatch(asks("/a"))).text()'],
    ["the store", '(await ctx.getStore("a").list())[0]'],
    ["what hears of it", 'await ctx.events.emit("looked", 1) ?? "old"'],
  ])("does not wait for its own exchange: %s", async (_at, look) => {
    const b = `${ASKS}
      export default { name: "b", init(ctx) {
        ctx.events.on("saved", async () => { globalThis.__seen = ${look}; });
      } };`;
    const reef = await startReef({ "a/index.ts": a("old"), "b/index.ts": b });
    reef.sandbox.services({ "a/index.ts": a("new") });
    expect(await reef.ctx.registry.load("a")).toEqual({ name: "a", action: "updated" });
    expect(shared.__seen).toBe("old");
    await reef.end();
  });
});
