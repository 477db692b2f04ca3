import { afterEach, describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { readConfig } from "./config.js";
import { Dispatcher, firstSegment, pathOf } from "./dispatch.js";
import { ReefError } from "./errors.js";
import { LogBook } from "./log.js";
import { createServer, type ReefServer } from "./server.js";
import type { ServiceModule } from "./types.js";

const TOKEN = "dispatch-token";
const open: ReefServer[] = [];
afterEach(async () => {
  for (const reef of open.splice(0)) await reef.close(0);
});

async function serve(...modules: ServiceModule[]) {
  const logs = new LogBook(() => undefined);
  const config = readConfig({ REEF_MAX_BODY_BYTES: "2048" });
  const reef = await createServer({ modules, authToken: TOKEN, logs, config });
  open.push(reef);
  expect(reef.registry.failures.list()).toEqual([]);
  const call = (path: string, init: RequestInit = {}) => {
    const headers = new Headers({ authorization: `Bearer ${TOKEN}` });
    new Headers(init.headers).forEach((value, key) => {
      headers.set(key, value);
    });
    return reef.app.request(path, { ...init, headers });
  };
  const errors = () =>
    ["reef", ...reef.liveModules.keys()].flatMap((name) => logs.lines(name).map(({ text }) => text));
  return { reef, call, errors };
}

/** Answers every path with the service's name and what it saw. */
const echo = (name: string, fields: Partial<ServiceModule> = {}): ServiceModule => {
  const routes = new Hono();
  routes.all("*", async (c) =>
    c.json({ name, method: c.req.method, path: c.req.path, query: c.req.query(), body: await c.req.text() }),
  );
  return { name, routes, ...fields };
};

test.each([
  ["http://h/board/tasks?x=1", "board", "/board/tasks"],
  ["http://h/board", "board", "/board"],
  ["http://h/board?x=/y", "board", "/board"],
  ["http://h/board#x", "board", "/board"],
  ["https://h:8080/board/", "board", "/board/"],
  ["http://h/", "", "/"],
  ["http://h", "", "/"],
  ["http://h//board", "", "//board"],
  ["http://h/%62oard", "%62oard", "/%62oard"],
  ["http://h/Board", "Board", "/Board"],
])("%s has the first segment %p and the path %p", (url, segment, path) => {
  expect(firstSegment(url)).toBe(segment);
  expect(pathOf(url)).toBe(path);
});

describe("a service at its name", () => {
  test.each([
    ["/a", "/", {}],
    ["/a/", "/", {}],
    ["/a?x=1", "/", { x: "1" }],
    ["/a/b/c", "/b/c", {}],
    ["/a/b/?x=%26&y", "/b/", { x: "&", y: "" }],
    ["/a//b", "//b", {}],
    ["/a/%20x", "/ x", {}],
    ["/a/b%2Fc", "/b%2Fc", {}],
    ["/a/a", "/a", {}],
  ])("%s arrives as %s", async (path, seen, query) => {
    const { call } = await serve(echo("a"));
    expect(await (await call(path)).json()).toMatchObject({ path: seen, query });
  });

  test.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"])(
    "%s is passed with its body",
    async (method) => {
      const { call } = await serve(echo("a"));
      const body = method === "GET" ? undefined : "text";
      const reply = (await (await call("/a/x", { method, body })).json()) as object;
      expect(reply).toMatchObject({ method, path: "/x", body: body ?? "" });
    },
  );

  test("is found among many, none of which sees the request", async () => {
    const { call } = await serve(...Array.from({ length: 300 }, (_, n) => echo(`s${n}`)));
    expect(await (await call("/s217/x")).json()).toMatchObject({ name: "s217" });
  });

  test.each(["/b", "/A", "/a.b", "/", "//a", "/%61", "/constructor", "/__proto__/x", "/a%2fb"])(
    "%s is an unknown service: 404 in JSON",
    async (path) => {
      const { call } = await serve(echo("a"));
      const reply = await call(path);
      expect([reply.status, await reply.json()]).toEqual([404, { error: "unknown service" }]);
    },
  );

  test("without routes is a 404 as well", async () => {
    const { call } = await serve({ name: "silent" });
    expect((await call("/silent")).status).toBe(404);
  });

  test("an unknown route inside it is a JSON 404, unless it has an answer of its own", async () => {
    const plain = new Hono();
    const own = new Hono();
    own.notFound((c) => c.text("nothing here", 404));
    const { call } = await serve({ name: "plain", routes: plain }, { name: "own", routes: own });
    const reply = await call("/plain/nothing");
    expect([reply.status, await reply.json()]).toEqual([404, { error: "not found" }]);
    expect(await (await call("/own/nothing")).text()).toBe("nothing here");
  });
});

describe("a service at the root", () => {
  const root = (fields: Partial<ServiceModule> = {}): ServiceModule => {
    const routes = new Hono();
    routes.use("*", async (c, next) => {
      await next();
      c.header("x-root", "1");
    });
    routes.get("/", (c) => c.text("home"));
    routes.get("/page/:id", (c) => c.text(`page ${c.req.param("id")} at ${c.req.path}`));
    return { name: "web", mountAtRoot: true, requiresAuth: false, routes, ...fields };
  };

  test("answers its own paths, unprefixed, and not the others", async () => {
    const { call } = await serve(root(), echo("a"));
    expect(await (await call("/")).text()).toBe("home");
    const page = await call("/page/7");
    expect(await page.text()).toBe("page 7 at /page/7");
    expect(page.headers.get("x-root")).toBe("1");
    expect((await call("/page/7", { method: "HEAD" })).status).toBe(200);
    expect((await call("/page/7", { method: "POST" })).status).toBe(404);
    expect((await call("/nothing")).status).toBe(404);
    expect(await (await call("/web")).json()).toEqual({ error: "unknown service" });
  });

  test("does not take over a service that has the name", async () => {
    const greedy = echo("greedy", { mountAtRoot: true, requiresAuth: false });
    const { reef, call } = await serve(greedy, echo("a"));
    expect(await (await call("/a/x")).json()).toMatchObject({ name: "a" });
    expect((await reef.app.request("/a/x")).status).toBe(401);
    expect(await (await call("/b/x")).json()).toMatchObject({ name: "greedy", path: "/b/x" });
  });

  test("does not take over /health", async () => {
    const { reef } = await serve(echo("greedy", { mountAtRoot: true }));
    const reply = await reef.app.request("/health");
    expect([reply.status, (await reply.json()) as object]).toMatchObject([200, { status: "ok" }]);
  });

  test("is protected like any other", async () => {
    const { reef, call } = await serve(root({ requiresAuth: true }));
    expect((await reef.app.request("/page/1")).status).toBe(401);
    expect((await call("/page/1")).status).toBe(200);
  });

  test("takes nothing from another one with a catch-all, whichever was loaded first", async () => {
    const greedy = echo("greedy", { mountAtRoot: true, requiresAuth: false });
    const param = new Hono().get("/:page", (c) => c.text("any page")).get("/page/*", (c) => c.text("any"));
    const open = { mountAtRoot: true, requiresAuth: false };
    const exact = new Hono().get("/extension.js", (c) => c.text("exact"));
    const services = [
      greedy,
      { name: "param", routes: param, ...open },
      { name: "exact", routes: exact, ...open },
    ];
    for (const order of [services, services.toReversed()]) {
      const { call } = await serve(...order, root());
      const asked = await Promise.all(
        ["/extension.js", "/page/7", "/"].map(async (path) => (await call(path)).text()),
      );
      expect(asked).toEqual(["exact", "page 7 at /page/7", "home"]);
      expect(await (await call("/other")).text()).toBe("any page");
      expect(await (await call("/other/path")).json()).toMatchObject({ name: "greedy" });
      expect(await (await call("/extension.js", { method: "POST" })).json()).toMatchObject({
        name: "greedy",
      });
    }
  });

  test("answers with handlers that take next, and with those of a group that handles its own errors", async () => {
    const group = new Hono()
      .get("/fine", (c) => c.text("fine"))
      .get("/fails", () => {
        throw new Error("x");
      });
    group.use("/guarded/*", async (_c, next) => next());
    group.onError((_error, c) => c.text("the group's own", 500));
    const routes = new Hono().get("/with-next", async (c, _next) => c.text("with next"));
    routes.route("/group", group);
    const { call } = await serve(root({ routes }), echo("greedy", { mountAtRoot: true }));
    const text = async (path: string) => (await call(path)).text();
    expect(await Promise.all(["/group/fine", "/group/fails", "/with-next"].map(text))).toEqual([
      "fine",
      "the group's own",
      "with next",
    ]);
    for (const path of ["/group/guarded/x", "/group"]) {
      expect(await (await call(path)).json()).toMatchObject({ name: "greedy" });
    }
  });

  test.each([
    ["a", "a"],
    ["z", "page 1 at /page/1"],
  ])("of two that are equally close, %s and web, the first by name answers", async (name, page) => {
    const other = new Hono().get("/page/:id", (c) => c.text(name)).get("/more", (c) => c.text("more"));
    const { call } = await serve(root(), { name, mountAtRoot: true, routes: other });
    expect(await (await call("/page/1")).text()).toBe(page);
    expect(await (await call("/more")).text()).toBe("more");
  });
});

describe("replies", () => {
  test("a thrown error is a 500 that tells nothing; the log has it under the request's id", async () => {
    const routes = new Hono();
    routes.get("/error", () => {
      throw new Error("password is hunter2");
    });
    routes.get("/string", () => {
      throw "just a string";
    });
    routes.get("/late", async () => {
      await Bun.sleep(1);
      throw new Error("late one");
    });
    routes.get("/hostile", () => {
      throw Object.create(null);
    });
    const { call, errors } = await serve({ name: "a", routes });
    for (const path of ["error", "string", "late", "hostile"]) {
      const reply = await call(`/a/${path}`);
      expect([path, reply.status, await reply.json()]).toEqual([
        path,
        500,
        { error: "internal service error" },
      ]);
      const id = reply.headers.get("x-request-id") as string;
      expect(errors().filter((line) => line.includes(`request ${id})`))).toHaveLength(1);
    }
    expect(errors()[0]).toContain("GET /a/error");
    expect(errors()[0]).toContain("hunter2");
  });

  test("an error of the catalogue or an HTTPException keeps its status and message", async () => {
    const routes = new Hono();
    routes.get("/conflict", () => {
      throw new ReefError("CONFLICT", "taken");
    });
    routes.get("/teapot", () => {
      throw new HTTPException(418, { message: "short and stout" });
    });
    routes.get("/own", () => {
      throw new HTTPException(403, { res: new Response("own", { status: 403 }) });
    });
    routes.get("/broken", () => {
      throw new HTTPException(503, { message: "database password" });
    });
    const { call } = await serve({ name: "a", routes });
    const show = async (path: string) => {
      const reply = await call(path);
      return [reply.status, await reply.text()];
    };
    expect(await show("/a/conflict")).toEqual([409, '{"error":"taken"}']);
    expect(await show("/a/teapot")).toEqual([418, '{"error":"short and stout"}']);
    expect(await show("/a/own")).toEqual([403, "own"]);
    expect(await show("/a/broken")).toEqual([500, '{"error":"internal service error"}']);
  });

  test("a service's own error handler is left alone", async () => {
    const routes = new Hono();
    routes.onError((error, c) => c.text(`mine: ${error.message}`, 502));
    routes.get("/", () => {
      throw new Error("x");
    });
    const { call } = await serve({ name: "a", routes });
    expect(await (await call("/a")).text()).toBe("mine: x");
  });

  test.each([200, 204, 301, 304, 400, 404, 418, 500, 503])("status %d passes untouched", async (status) => {
    const routes = new Hono();
    const body = [204, 304].includes(status) ? null : "chosen";
    routes.get("/", () => new Response(body, { status, headers: { location: "/x", "x-own": "1" } }));
    const { call, errors } = await serve({ name: "a", routes });
    const reply = await call("/a");
    expect([reply.status, await reply.text(), reply.headers.get("x-own")]).toEqual([status, body ?? "", "1"]);
    expect(errors()).toEqual([]);
  });

  test("binary and streamed bodies arrive byte for byte", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
    const routes = new Hono();
    routes.get("/binary", (c) => c.body(bytes.buffer));
    routes.get("/stream", () => {
      let n = 0;
      return new Response(
        new ReadableStream({
          pull: (controller) => (n < 3 ? controller.enqueue(Uint8Array.of(n++)) : controller.close()),
        }),
      );
    });
    const { call } = await serve({ name: "a", routes });
    expect(await (await call("/a/binary")).bytes()).toEqual(bytes);
    expect(await (await call("/a/stream")).bytes()).toEqual(Uint8Array.of(0, 1, 2));
  });

  test("carry safe headers, or those the service chose", async () => {
    const routes = new Hono();
    routes.get("/", (c) => c.html("<p>x</p>"));
    routes.get("/own", (c) => {
      c.header("x-frame-options", "DENY");
      return c.text("x");
    });
    routes.get("/redirect", () => Response.redirect("http://h/x"));
    const { reef, call } = await serve({ name: "a", routes });
    const show = ({ headers }: Response) =>
      ["x-content-type-options", "x-frame-options", "referrer-policy"].map((name) => headers.get(name));
    for (const path of ["/a", "/a/redirect"])
      expect(show(await call(path))).toEqual(["nosniff", "SAMEORIGIN", "no-referrer"]);
    expect(show(await call("/a/own"))).toEqual(["nosniff", "DENY", "no-referrer"]);
    for (const reply of [await call("/nothing"), await reef.app.request("/a"), await call("/health")])
      expect(reply.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("a caller's request id comes back when it is harmless", async () => {
    const { reef, call } = await serve(echo("a"));
    const id = (given: string, path = "/a") =>
      call(path, { headers: { "x-request-id": given } }).then((reply) => reply.headers.get("x-request-id"));
    for (const path of ["/a", "/nothing", "/health"])
      expect(await id("trace-1:2.3", path)).toBe("trace-1:2.3");
    for (const bad of ["a b", "x".repeat(129), "<script>"]) expect(await id(bad)).not.toBe(bad);
    const refused = await reef.app.request("/a", { headers: { "x-request-id": "r1" } });
    expect([refused.status, refused.headers.get("x-request-id")]).toEqual([401, "r1"]);
  });
});

describe("the size of a body", () => {
  test.each([
    ["2048", 200],
    ["2049", 413],
    ["99999999999999999999", 413],
  ])("content-length %s → %d", async (length, status) => {
    const { call } = await serve(echo("a"));
    const reply = await call("/a", { method: "POST", body: "x", headers: { "content-length": length } });
    expect(reply.status).toBe(status);
    if (status === 413) expect(await reply.json()).toEqual({ error: "request body too large" });
  });
});

test("requests from outside that nobody answers wait for what may be mounted at the root, and for nothing else", async () => {
  const dispatcher = new Dispatcher({
    authenticate: () => true,
    maxBodyBytes: 1,
    health: () => new Response(),
    log: new LogBook(() => undefined).logger("reef"),
  });
  const server = { pendingRequests: 0 } as unknown as Bun.Server<undefined>;
  const ask = (path: string, from?: Bun.Server<undefined>) =>
    dispatcher.fetch(new Request(`http://h${path}`), from);
  const named = Promise.withResolvers<void>();
  dispatcher.pending.add("named", named.promise, false);
  expect([ask("/other", server), ask("/other")]).toEqual([expect.any(Response), expect.any(Response)]);
  const roots = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  for (const [n, root] of roots.entries()) dispatcher.pending.add(`root-${n}`, root.promise, true);
  expect(ask("/other")).toBeInstanceOf(Response);
  const waiting = ask("/other", server);
  expect(waiting).toBeInstanceOf(Promise);
  expect(dispatcher.untrackedReplies(0, 0)).toBe(0);
  roots[0]?.reject(new Error("did not start"));
  roots[1]?.resolve();
  expect((await waiting).status).toBe(404);
  expect(ask("/other", server)).toBeInstanceOf(Response);
});

describe("/health", () => {
  test("is open and names services with routes and those that were skipped", async () => {
    const logs = new LogBook(() => undefined);
    const reef = await createServer({
      modules: [echo("a"), { name: "silent" }, { name: "bad name" }, { name: "needy", dependencies: ["x"] }],
      authToken: TOKEN,
      logs,
    });
    open.push(reef);
    const reply = await reef.app.request("/health");
    const health = (await reply.json()) as { uptime: number; skipped: unknown };
    expect(health).toMatchObject({ status: "ok", services: ["a"] });
    expect(health.uptime).toBeNumber();
    expect(health.skipped).toEqual([
      { name: "bad name", code: "BAD_NAME", error: expect.stringContaining("bad name") },
      { name: "needy", code: "MISSING_DEPENDENCY", error: 'Missing dependency "x" of "needy".' },
    ]);
  });

  test.each([
    ["GET", "/health", 200],
    ["GET", "/health?verbose", 200],
    ["HEAD", "/health", 200],
    ["POST", "/health", 404],
    ["DELETE", "/health", 404],
    ["GET", "/health/", 404],
    ["GET", "/Health", 404],
  ])("%s %s → %d", async (method, path, status) => {
    const { reef } = await serve(echo("a"));
    expect((await reef.app.request(path, { method })).status).toBe(status);
  });
});

test("without a token every protected route answers 401, and open ones work", async () => {
  const reef = await createServer({
    modules: [echo("closed"), echo("open", { requiresAuth: false })],
    config: { ...readConfig({}), authToken: undefined },
    logs: new LogBook(() => undefined),
  });
  open.push(reef);
  expect((await reef.app.request("/closed", { headers: { authorization: "Bearer " } })).status).toBe(401);
  expect((await reef.app.request("/open")).status).toBe(200);
});
