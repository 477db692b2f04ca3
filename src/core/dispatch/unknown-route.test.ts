import { describe, expect, test } from "bun:test";
import { type Context, Hono } from "hono";
import { LogBook } from "../log.js";
import { Scope } from "../scope.js";
import { NOSNIFF } from "./json-context.js";
import { Serving } from "./serving.js";

function make(routes: Hono) {
  const thrown: unknown[] = [];
  const scope = new Scope("s", new LogBook(() => undefined).logger("s"));
  const hooks = {
    failed: (error: unknown) => {
      thrown.push(error);
      return new Response("failed", { status: 500 });
    },
    complete: (reply: Response) => reply,
  };
  const serving = new Serving({ name: "s", routes }, scope, hooks);
  const ask = async (path: string, init?: RequestInit) =>
    serving.handle(new Request(`http://h/s${path}`, init), undefined);
  return { ask, thrown };
}

/** As it is compared: JSON replies have that header from the start. */
const shown = async (reply: Response) => {
  reply.headers.set(...NOSNIFF);
  return [reply.status, [...reply.headers], await reply.text()];
};

describe("where the author has said nothing", () => {
  const routes = new Hono()
    .get("/none", (c) => c.notFound())
    .get("/own", (c) => c.text("404 Not Found", 404))
    .get("/own-late", async (c) => c.text("404 Not Found", 404));
  routes.use("/behind/*", async (c, next) => {
    c.header("x-own", "1");
    await next();
  });

  test.each(["/unknown", "/none", "/behind/x"])("%s is answered in JSON", async (path) => {
    const reply = await make(routes).ask(path);
    expect([reply.status, await reply.json()]).toEqual([404, { error: "not found" }]);
    expect(reply.headers.get("x-own")).toBe(path === "/behind/x" ? "1" : null);
  });

  test.each(["/own", "/own-late"])(
    "%s, which is a reply like Hono's, passes the first time, too",
    async (path) => {
      const { ask } = make(routes);
      for (let time = 0; time < 2; time++) expect(await (await ask(path)).text()).toBe("404 Not Found");
    },
  );
});

describe("an author's handler for unknown routes", () => {
  const ways: [string, (c: Context) => Response | Promise<Response>][] = [
    ["replies", (c) => c.text(`nothing at ${c.req.path.slice(-4)}`, 404)],
    ["replies late", async (c) => c.json({ nothing: c.req.query("q") ?? null }, 404)],
    ["sets headers", (c) => c.body(null, 410, { "x-mine": "1" })],
    ["uses what middleware has set", (c) => c.text(String(c.get("who" as never) ?? "nobody"), 404)],
    ["renders as middleware has said", (c) => c.render("page") as Response],
    [
      "answers some as Hono does",
      (c) => (c.req.method === "POST" ? c.text("mine", 404) : c.text("gone", 410)),
    ],
    ["reads the body", async (c) => c.text(`${c.req.method} ${await c.req.text()}`, 404)],
    [
      "throws",
      () => {
        throw new Error("mine");
      },
    ],
    ["rejects", () => Promise.reject(new Error("mine"))],
  ];
  const asked: [string, RequestInit][] = [
    ["/none", {}],
    ["/undefined", {}],
    ["/late", {}],
    ["/unknown?q=1", {}],
    ["/with/unknown", {}],
    ["/with/none", {}],
    ["/unknown", { method: "HEAD" }],
    ["/unknown", { method: "POST", body: "sent" }],
  ];

  test.each(ways)("that %s answers as in Hono, from the first time on", async (_way, handler) => {
    for (const [path, init] of asked) {
      const routes = new Hono().notFound(handler);
      routes.onError((error, c) => c.text(`failed: ${error.message}`, 500));
      routes.use("/with/*", async (c, next) => {
        c.set("who" as never, "ada" as never);
        c.setRenderer((content) => c.html(`<main>${content}</main>`, 404));
        c.header("x-before", "1");
        await next();
        c.header("x-after", String(c.error?.message));
      });
      for (const place of ["", "/with"]) routes.get(`${place}/none`, (c) => c.notFound());
      routes.get("/undefined", (() => undefined) as never).get("/late", (async () => undefined) as never);
      // What it throws where a route has no reply gets past Hono's own error handling.
      const failed = () => new Response("failed", { status: 500 });
      const honos = await shown(await (async () => routes.request(path, init))().catch(failed));
      const { ask } = make(routes);
      for (let time = 0; time < 2; time++) expect(await shown(await ask(path, init)), path).toEqual(honos);
    }
  });

  test("is called for requests to unknown routes alone, once for each", async () => {
    const misses: string[] = [];
    const routes = new Hono().get("/x", (c) => c.text("x")).get("/none", (c) => c.notFound());
    routes.notFound((c) => {
      misses.push(c.req.path);
      return c.text("404 Not Found", 404);
    });
    const { ask } = make(routes);
    await ask("/x");
    expect(misses).toEqual([]);
    await Promise.all([ask("/a"), ask("/none"), ask("/b")]);
    expect(misses).toEqual(["/a", "/none", "/b"]);
  });

  test("whose failure is left to Reef is told as one", async () => {
    const { ask, thrown } = make(
      new Hono().notFound(() => {
        throw new Error("mine");
      }),
    );
    expect((await ask("/x")).status).toBe(500);
    expect(thrown).toEqual([new Error("mine")]);
  });
});
