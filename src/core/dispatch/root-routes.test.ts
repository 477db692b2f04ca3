import { afterEach, describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { mount } from "hono/mount";
import { trimTrailingSlash } from "hono/trailing-slash";
import { answering, type Reef, startReef } from "../../../tests/support/sandbox.js";
import { specificity } from "./root-routes.js";

test.each([
  ["*", 0],
  ["/*", 1],
  ["/", 1.5],
  ["/:page", 1.25],
  ["/page/:id", 6.25],
  ["/page/*", 6],
  ["/ui/*", 4],
  ["/ui", 3.5],
  ["/extension.js", 13.5],
])("%s counts %d", (route, length) => {
  expect(specificity(route)).toBe(length);
});

test("of equals the one whose name comes first answers, whatever the order of starting and of reloads", async () => {
  const reef = await startReef({
    "b/index.ts": answering("b", "b", "mountAtRoot: true"),
    "a/index.ts": answering("a", "a", "mountAtRoot: true, async init() { await Bun.sleep(1); }"),
  });
  const answers = [await reef.text("/")];
  for (const name of ["a", "b"]) {
    await reef.ctx.registry.reload(name);
    answers.push(await reef.text("/"));
  }
  expect(answers).toEqual(["a", "a", "a"]);
  await reef.end();
});

describe("an app that a root service mounts", () => {
  let reef: Reef | undefined;
  afterEach(async () => {
    await reef?.end();
    reef = undefined;
  });
  const foreign = (request: Request) => new Response(`foreign ${new URL(request.url).pathname}`);
  const group = () => {
    const app = new Hono();
    app.onError((_error, c) => c.text("the group's own", 500));
    return app;
  };

  test.each<[string, (routes: Hono) => unknown]>([
    ["with app.mount", (routes) => routes.mount("/other", foreign)],
    ["as a handler", (routes) => routes.all("/other/*", mount(foreign))],
    ["in a group with its own errors", (routes) => routes.route("/", group().mount("/other", foreign))],
  ])("%s is reached, and middleware beside it takes nothing", async (_how, add) => {
    const routes = new Hono();
    routes.use("/guarded/*", async (_c, next) => next());
    add(routes);
    const catchAll = new Hono().all("*", (c) => c.text("catch-all"));
    reef = await startReef(
      {},
      {
        modules: [
          { name: "web", mountAtRoot: true, routes },
          { name: "greedy", mountAtRoot: true, routes: catchAll },
        ],
      },
    );
    const { text } = reef;
    expect(await Promise.all(["/other/a/b", "/other", "/guarded/x"].map((path) => text(path)))).toEqual([
      "foreign /a/b",
      "foreign /",
      "catch-all",
    ]);
  });
});

describe("what the middleware of a root service answers", () => {
  const web = () => {
    const routes = new Hono();
    routes.use("*", cors());
    routes.use("*", trimTrailingSlash());
    routes.use("/files/*", async (c, next) => (c.req.path === "/files/a.txt" ? c.text("a file") : next()));
    routes.get("/assets/*", async (c, next) => (c.req.path.endsWith(".txt") ? c.text("an asset") : next()));
    routes.get("/landing", (c) => c.text("landing"));
    return { name: "web", mountAtRoot: true, routes };
  };
  const plain = (name: string, routes: Hono) => ({ name, mountAtRoot: true, routes });
  let reef: Reef;
  afterEach(() => reef.end());

  test.each([
    ["/files/a.txt", "GET"],
    ["/files/none", "GET"],
    ["/assets/a.txt", "GET"],
    ["/assets/none", "GET"],
    ["/landing", "OPTIONS"],
    ["/landing/", "GET"],
    ["/landing", "POST"],
    ["/nothing", "GET"],
  ])("%s is answered as Hono would: %s", async (path, method) => {
    const module = web();
    reef = await startReef({}, { modules: [module] });
    const reply = await reef.call(path, { method });
    const honos = await module.routes.request(path, { method });
    const headers = [...honos.headers].filter(([name]) => !name.startsWith("content-"));
    expect([reply.status, Object.fromEntries(reply.headers)]).toEqual([
      honos.status,
      expect.objectContaining(Object.fromEntries(headers)),
    ]);
    if (honos.ok) expect(await reply.text()).toBe(await honos.text());
  });

  test("takes nothing from the routes of others, whatever they are called", async () => {
    const others = plain(
      "zoo",
      new Hono().get("/page", (c) => c.text("page")).get("*", (c) => c.text("any")),
    );
    reef = await startReef({}, { modules: [web(), others] });
    const texts = await Promise.all(["/page", "/nothing", "/files/a.txt"].map((path) => reef.text(path)));
    expect(texts).toEqual(["page", "any", "any"]);
  });

  test("of one is asked after that of another, which has no answer", async () => {
    const silent = new Hono().use("*", async (_c, next) => next());
    const hit = new Hono().use("*", async (c, next) => (c.req.path === "/hit" ? c.text("hit") : next()));
    reef = await startReef({}, { modules: [plain("a", silent), plain("b", hit), plain("c", silent)] });
    expect(await reef.text("/hit")).toBe("hit");
    const missed = await reef.call("/missed");
    expect([missed.status, await missed.json()]).toEqual([404, { error: "unknown service" }]);
  });

  test("is not asked by who would not be let in", async () => {
    const routes = new Hono().get("/page", (c) => c.text("page"));
    routes.use("*", async (c, _next) => c.text("secret"));
    reef = await startReef({}, { modules: [plain("guarded", routes)] });
    for (const init of [{ method: "POST" }, {}]) {
      const reply = await reef.app.request(init.method ? "/page" : "/other", init);
      expect([reply.status, await reply.json()]).toEqual([404, { error: "unknown service" }]);
    }
  });

  test("is asked where the route is, also for other methods", async () => {
    const app = new Hono().use("*", cors({ origin: "http://own" })).get("/own", (c) => c.text("own"));
    reef = await startReef({}, { modules: [web(), plain("own", app)] });
    const preflight = await reef.call("/own", { method: "OPTIONS", headers: { origin: "http://own" } });
    expect(preflight.headers.get("access-control-allow-origin")).toBe("http://own");
  });
});

test.each(["GET", "POST"])("a catch-all takes no %s from a service that is on its way", async (method) => {
  const gate = Promise.withResolvers<void>();
  Object.assign(globalThis, { __gate: gate });
  const reef = await startReef(
    {
      "web/index.ts": `import { Hono } from "hono";
        export default { name: "web", mountAtRoot: true, routes: new Hono().get("*", (c) => c.text("web")) };`,
      "late/index.ts": `import { Hono } from "hono";
        const routes = new Hono().all("/x", (c) => c.text("late"));
        export default { name: "late", routes, init: () => __gate.promise };`,
    },
    { patienceMs: 1 },
  );
  try {
    const reply = reef.text("/late/x", { method });
    gate.resolve();
    expect(await reply).toBe("late");
  } finally {
    gate.resolve();
    await reef.end();
  }
});

test("a request that waits for a service goes to whoever its address is then", async () => {
  const web = (root: boolean, gate = "") => `import { Hono } from "hono";
    const routes = new Hono().get("*", (c) => c.text("web " + c.req.path));
    export default { name: "web", mountAtRoot: ${root}, routes, async init() { ${gate} } };`;
  const reef = await startReef({ "web/index.ts": web(true) });
  try {
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    Object.assign(globalThis, { __web: { held, begun } });
    reef.sandbox.services({ "web/index.ts": web(false, "__web.begun.resolve(); await __web.held.promise;") });
    const loading = reef.registry.view().load("web");
    await begun.promise;
    const waiting = ["/abc/x", "/web/x"].map((path) => reef.text(path));
    held.resolve();
    await loading;
    expect(await Promise.all(waiting)).toEqual(['{"error":"unknown service"}', "web /x"]);
  } finally {
    await reef.end();
  }
});
