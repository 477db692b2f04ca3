import { describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { LogBook } from "./log.js";
import { type Run, Scope } from "./scope.js";
import { Serving } from "./serving.js";
import type { ServiceModule } from "./types.js";

async function make(routes: Hono | undefined, run?: Run) {
  const thrown: unknown[] = [];
  let completed = 0;
  const scope = new Scope("s", new LogBook(() => undefined).logger("s"), run);
  const module: ServiceModule = { name: "s", routes };
  const serving = await Serving.create(module, scope, {
    failed: (error) => {
      thrown.push(error);
      return new Response("failed", { status: 500 });
    },
    complete: (reply) => {
      completed++;
      return reply;
    },
  });
  const ask = (path: string, init?: RequestInit) =>
    serving.handle(new Request(`http://h/s${path}`, init), undefined);
  return { serving, scope, thrown, ask, completed: () => completed };
}

describe("counting", () => {
  test("knows what is running, what was served and what threw", async () => {
    const gate = Promise.withResolvers<void>();
    const routes = new Hono();
    routes.get("/slow", async (c) => {
      await gate.promise;
      return c.text("done");
    });
    routes.get("/throws", () => {
      throw new Error("x");
    });
    routes.get("/fast", (c) => c.text("fast"));
    const { serving, thrown, ask, completed } = await make(routes);
    await ask("/fast");
    await ask("/throws");
    const slow = [ask("/slow"), ask("/slow")];
    expect([serving.active, serving.served, serving.errors]).toEqual([2, 4, 1]);
    gate.resolve();
    await Promise.all(slow);
    expect([serving.active, serving.served, serving.errors]).toEqual([0, 4, 1]);
    expect(completed()).toBe(4);
    expect(thrown).toEqual([new Error("x")]);
  });

  test("loading asks the app nothing that counts", async () => {
    const { serving } = await make(new Hono());
    expect([serving.active, serving.served]).toEqual([0, 0]);
  });
});

describe("whenIdle", () => {
  test("is immediate without requests", async () => {
    expect(await (await make(new Hono())).serving.whenIdle(0)).toBe(true);
  });

  test("waits for the last handler, leaving out those it is told to", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const routes = new Hono();
    routes.get("/:n", async (c) => {
      await gates[Number(c.req.param("n"))]?.promise;
      return c.text("done");
    });
    const { serving, ask } = await make(routes);
    const replies = [ask("/0"), ask("/1")];
    const order: string[] = [];
    const butOne = serving.whenIdle(60_000, 1).then((idle) => order.push(`all but one: ${idle}`));
    gates[0]?.resolve();
    await butOne;
    const all = serving.whenIdle(60_000).then((idle) => order.push(`all: ${idle}`));
    gates[1]?.resolve();
    await all;
    await Promise.all(replies);
    expect(order).toEqual(["all but one: true", "all: true"]);
  });

  test("gives up on a handler that never returns", async () => {
    const routes = new Hono().get("/", () => new Promise<never>(() => undefined));
    const { serving, ask } = await make(routes);
    const reply = ask("");
    expect(await serving.whenIdle(1)).toBe(false);
    serving.abandon();
    expect((await reply).status).toBe(503);
    expect(serving.active).toBe(0);
  });
});

describe("the service's own context", () => {
  test("surrounds handlers, from the first call on", async () => {
    let depth = 0;
    const run: Run = (fn, ...args) => {
      depth++;
      try {
        return fn(...args);
      } finally {
        depth--;
      }
    };
    const routes = new Hono();
    routes.get("/", (c) => c.text(String(depth)));
    routes.notFound((c) => c.text(`nothing at depth ${depth}`, 404));
    const { ask } = await make(routes, run);
    expect(await (await ask("")).text()).toBe("1");
    expect(await (await ask("/x")).text()).toBe("nothing at depth 1");
  });
});

describe("the author's app", () => {
  test("stays as it was, so that its own tests see no difference", async () => {
    const routes = new Hono().get("/x", (c) => c.text("x"));
    await make(routes);
    expect(await (await routes.request("/x")).text()).toBe("x");
    expect(await (await routes.request("/s/x")).text()).toBe("404 Not Found");
  });

  test("may have a base path, sub-apps and parameters", async () => {
    const sub = new Hono().get("/:id", (c) => c.text(`item ${c.req.param("id")}`));
    const { ask } = await make(new Hono().basePath("/v1").route("/items", sub));
    expect(await (await ask("/v1/items/7")).text()).toBe("item 7");
    expect((await ask("/items/7")).status).toBe(404);
  });

  test("may choose how strictly it takes trailing slashes", async () => {
    const loose = new Hono({ strict: false }).get("/x", (c) => c.text("x"));
    const strict = new Hono().get("/x", (c) => c.text("x"));
    expect((await (await make(loose)).ask("/x/")).status).toBe(200);
    expect((await (await make(strict)).ask("/x/")).status).toBe(404);
  });

  test("whose not-found handler fails is served all the same", async () => {
    const routes = new Hono().get("/x", (c) => c.text("x"));
    routes.notFound((c) => {
      throw new Error(`nothing for ${c.req.header("x-must-have")}`);
    });
    const { ask, thrown } = await make(routes);
    expect(await (await ask("/x")).text()).toBe("x");
    expect((await ask("/y")).status).toBe(500);
    expect(thrown).toEqual([new Error("nothing for undefined")]);
  });
});

test("a module without routes answers 404", async () => {
  const { serving, ask } = await make(undefined);
  expect(serving.hasRoutes).toBe(false);
  expect((await ask("/")).status).toBe(404);
  expect(serving.served).toBe(0);
});
