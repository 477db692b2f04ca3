import { expect, test } from "bun:test";
import { answering, startReef } from "../../tests/support/sandbox.js";
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
