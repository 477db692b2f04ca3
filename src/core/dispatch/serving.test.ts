import { describe, expect, test } from "bun:test";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { LinearRouter } from "hono/router/linear-router";
import { nesting } from "../../../tests/support/nesting.js";
import { LogBook } from "../log.js";
import { type Run, Scope } from "../scope.js";
import type { ServiceModule } from "../types.js";
import { NOSNIFF } from "./json-context.js";
import { Serving } from "./serving.js";

async function make(routes: Hono | undefined, run?: Run) {
  const thrown: unknown[] = [];
  let completed = 0;
  const scope = new Scope("s", new LogBook(() => undefined).logger("s"), run);
  const module: ServiceModule = { name: "s", routes };
  const serving = new Serving(module, scope, {
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

describe("headers that were set for whatever reply would come", () => {
  const said = (routes: Hono) => {
    const say = (c: Context) => {
      c.header("x-own", "1");
      c.header("set-cookie", "a=1", { append: true });
      c.header("set-cookie", "b=2", { append: true });
    };
    routes.use("/behind/*", async (c, next) => {
      say(c);
      await next();
    });
    for (const path of ["", "/behind"]) {
      routes.get(`${path}/throws`, (c) => {
        say(c);
        throw new HTTPException(401, { message: "who are you" });
      });
      routes.get(`${path}/late`, async (c) => {
        say(c);
        await Bun.sleep(0);
        throw new HTTPException(403, { res: new Response("own", { status: 403 }) });
      });
    }
    routes.get("/not-found", (c) => {
      say(c);
      return c.notFound();
    });
    routes.get("/nothing", (c) => {
      say(c);
      return undefined as never;
    });
    return routes;
  };

  test.each([
    "/throws",
    "/late",
    "/nothing",
    "/not-found",
    "/behind/throws",
    "/behind/late",
    "/behind/nobody",
  ])("are those of Reef's too: %s", async (path) => {
    const { ask } = await make(said(new Hono()));
    const honos = await said(new Hono()).request(path);
    // The first request takes another way than those that follow.
    for (const reply of [await ask(path), await ask(path), await ask(path)]) {
      expect([reply.status, reply.headers.get("x-own")]).toEqual([honos.status, "1"]);
      const cookies = path.startsWith("/behind") && !path.endsWith("nobody") ? 4 : 2;
      expect(reply.headers.getSetCookie()).toHaveLength(cookies);
    }
  });
});

test("headers of a body that was to come are not those of the error in its place", async () => {
  const routes = new Hono().get("/x", (c) => {
    c.header("content-encoding", "gzip");
    throw new HTTPException(401);
  });
  const { ask } = await make(routes);
  await ask("/x");
  expect((await ask("/x")).headers.has("content-encoding")).toBe(false);
});

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

  test.each([
    ["was sent before", (reply: Response) => reply, /read/],
    ["was read", (reply: Response) => reply.text().then(() => reply), /read/],
    ["is none", () => Response.error(), /status 0/],
    ["says only that another follows", () => new Response(null, { status: 101 }), /status 101/],
  ])("a reply that %s is a failure of the service", async (_what, answer, said) => {
    const kept = new Response("same");
    const { ask, serving, thrown } = await make(new Hono().get("/", () => answer(kept)));
    await (await ask("")).text();
    expect(await (await ask("")).text()).toBe("failed");
    expect(thrown.at(-1)).toEqual(expect.objectContaining({ message: expect.stringMatching(said) }));
    expect(serving.errors).toBe(thrown.length);
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
    // Who waits meanwhile takes nothing from the other.
    const all = serving.whenIdle(60_000).then((idle) => order.push(`all: ${idle}`));
    gates[0]?.resolve();
    await butOne;
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
    const { run, depth } = nesting();
    const routes = new Hono();
    routes.get("/", (c) => c.text(String(depth())));
    routes.notFound((c) => c.text(`nothing at depth ${depth()}`, 404));
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

describe("the author's not-found handler", () => {
  test("holds up no other request", async () => {
    const routes = new Hono().get("/x", (c) => c.text("x"));
    routes.notFound(() => new Promise<Response>(() => undefined));
    const { ask } = await make(routes);
    expect(await (await ask("/x")).text()).toBe("x");
    void ask("/hangs");
    expect(await (await ask("/x")).text()).toBe("x");
  });

  test("sees what middleware has said before it, from the first time on", async () => {
    const routes = new Hono<{ Variables: { who: string } }>();
    routes.use(async (c, next) => {
      c.set("who", "ada");
      await next();
    });
    routes.notFound((c) => c.text(`nothing for ${c.get("who")}`, 404));
    const { ask } = await make(routes as unknown as Hono);
    for (const path of ["/first", "/second"]) expect(await (await ask(path)).text()).toBe("nothing for ada");
  });
});

describe("a route with one handler", () => {
  /** What Hono answers by itself, and what it answers here. */
  async function both(routes: Hono, path: string, init?: RequestInit) {
    const here = await (await make(routes)).ask(path, init);
    const there = await routes.request(path, init);
    const show = async (reply: Response) => {
      // JSON replies have it from the start.
      reply.headers.set(...NOSNIFF);
      return [reply.status, [...reply.headers], await reply.text()];
    };
    return { here: await show(here), there: await show(there) };
  }
  const wait = () => new Promise((resolve) => setImmediate(resolve));

  const routes = new Hono();
  routes.get("/sync", (c) => c.text("sync", 201, { "x-own": "1" }));
  routes.get("/late", async (c) => {
    await wait();
    c.header("x-own", "1");
    return c.json({ late: true });
  });
  routes.get("/param/:id{[0-9]+}", async (c) =>
    c.json([c.req.param("id"), c.req.path.slice(-2), c.req.query("q")]),
  );
  routes.get("/everything", (c) => c.json([c.req.routePath, c.req.matchedRoutes.length, c.req.method]));
  routes.get("/set", async (c) => {
    c.res = new Response("set", { status: 202 });
  });
  routes.get("/middleware-alone/*", async (_c, next) => next());
  routes.get("/rest", (...args) => args[0].text(String(args.length)));
  routes.get("/none", (() => undefined) as never);
  routes.get("/none-late", (async () => undefined) as never);
  routes.get("/no-route", (c) => c.notFound());
  routes.post("/body", async (c) => c.json(await c.req.json()));
  routes.use("/with/*", async (c, next) => {
    await next();
    c.header("x-after", "1");
  });
  routes.get("/with/middleware", (c) => c.text("below"));

  test.each<[string, RequestInit]>([
    ["/sync", {}],
    ["/sync", { method: "HEAD" }],
    ["/late", {}],
    ["/late", { method: "HEAD" }],
    ["/param/42?q=%20x", {}],
    ["/set", {}],
    ["/rest", {}],
    ["/body", { method: "POST", body: '{"a":[1]}' }],
    ["/with/middleware", {}],
  ])("%s %p is answered as by Hono", async (path, init) => {
    const { here, there } = await both(routes, path, init);
    expect(here).toEqual(there);
  });

  test("knows its route and its context", async () => {
    const { ask } = await make(routes);
    expect(await (await ask("/everything")).json()).toEqual(["/everything", 1, "GET"]);
  });

  test.each(["/none", "/none-late", "/no-route", "/middleware-alone/x", "/param/x", "/unknown"])(
    "%s has no reply: 404 in JSON",
    async (path) => {
      const { ask } = await make(routes);
      const reply = await ask(path);
      expect([reply.status, await reply.json()]).toEqual([404, { error: "not found" }]);
    },
  );

  test("gets the server as its environment, and no execution context", async () => {
    const seen: unknown[] = [];
    const app = new Hono().get("/", (c) => {
      seen.push(c.env);
      expect(() => c.executionCtx).toThrow("no ExecutionContext");
      return c.text("x");
    });
    const { serving } = await make(app);
    const server = { requestIP: () => null } as unknown as Bun.Server<undefined>;
    await serving.handle(new Request("http://h/s"), server);
    expect(seen).toEqual([server]);
  });

  test("whose reply is a promise of the service's own kind is waited for in the service's context", async () => {
    const { run, depth } = nesting();
    let depthOfThen = -1;
    class Lazy extends Promise<Response> {}
    // Queries that start when somebody waits for them are made like this.
    // biome-ignore lint/suspicious/noThenProperty: a promise of its own kind needs a `then` of its own
    Object.defineProperty(Lazy.prototype, "then", {
      value(this: Promise<Response>, ...args: Parameters<Promise<Response>["then"]>) {
        depthOfThen = depth();
        return Promise.prototype.then.apply(this, args);
      },
    });
    const app = new Hono().get("/", () => new Lazy((resolve) => resolve(new Response("lazy"))));
    const { ask } = await make(app, run);
    expect(await (await ask("")).text()).toBe("lazy");
    expect(depthOfThen).toBe(1);
  });

  test("of an app with a getPath of its own has it called in the service's context", async () => {
    const { run, depth } = nesting();
    const depths: number[] = [];
    const getPath = (request: Request) => {
      depths.push(depth());
      return new URL(request.url).pathname;
    };
    const app = new Hono({ getPath }).get("/x", (c) => c.text("x"));
    const { ask } = await make(app, run);
    await ask("/x");
    depths.length = 0;
    expect((await ask("/x")).status).toBe(200);
    expect(depths).toEqual([1]);
  });

  test("may have an app with a getPath, a router or replies of its own", async () => {
    const getPath = ({ headers, url }: Request) => `/${headers.get("x-tenant")}${new URL(url).pathname}`;
    const host = new Hono({ getPath }).get("/acme/hello", (c) => c.text(c.req.path));
    const hello = await (await make(host)).ask("/hello?x=/", { headers: { "x-tenant": "acme" } });
    expect(await hello.text()).toBe("/acme/hello");
    const linear = new Hono({ router: new LinearRouter() }).get("/:id", (c) => c.text(c.req.param("id")));
    expect(await (await (await make(linear)).ask("/7")).text()).toBe("7");
    const own = new Hono()
      .get("/none", (c) => c.notFound())
      .get("/fails", () => Promise.reject(new Error("x")));
    own.notFound((c) => c.text("mine", 404)).onError((error, c) => c.text(error.message, 502));
    const { ask } = await make(own);
    expect(await (await ask("/none")).text()).toBe("mine");
    const ending = new Hono().get("/none", (c) => c.notFound());
    ending.notFound((c) => c.text("the end", 404));
    expect(await (await (await make(ending)).ask("/none")).text()).toBe("the end");
    expect([(await ask("/fails")).status, await (await ask("/fails")).text()]).toEqual([502, "x"]);
  });
});

test("handlers that return after they were given up on change nothing any more", async () => {
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const routes = new Hono().get("/:n", async (c) => {
    await gates[Number(c.req.param("n"))]?.promise;
    return c.text("done");
  });
  const { serving, ask, completed } = await make(routes);
  const replies = [ask("/0"), ask("/1"), ask("/2")];
  gates[1]?.resolve();
  expect((await (replies[1] as Promise<Response>)).status).toBe(200);
  serving.abandon();
  expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([503, 200, 503]);
  for (const gate of gates) gate.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect([serving.active, completed()]).toEqual([0, 3]);
});

test("a module without routes answers 404", async () => {
  const { serving, ask } = await make(undefined);
  expect(serving.hasRoutes).toBe(false);
  expect((await ask("/")).status).toBe(404);
  expect(serving.served).toBe(0);
});
