import { describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { validator } from "hono/validator";
import { checkRouteDocs, documentedRoutes, withoutPatterns } from "./route-docs.js";
import type { RouteDocs, ServiceModule } from "./types.js";

const ok = (c: { text(text: string): Response }) => c.text("ok");
const module = (build: (app: Hono) => void, routeDocs?: Record<string, RouteDocs>): ServiceModule => {
  const routes = new Hono();
  build(routes);
  return { name: "things", routes, routeDocs };
};
const listed = (m: ServiceModule) => documentedRoutes(m).map(({ method, path }) => `${method} ${path}`);

describe("documentedRoutes", () => {
  test("names each route once, under its mount point, however many handlers it has", () => {
    const m = module((app) => {
      app.use("*", async (_c, next) => next());
      app.use("/items/*", async (_c, next) => next());
      app.get("/", ok);
      app.get(
        "/items/:id{[0-9]{1,4}}",
        validator("query", (value) => value),
        async (_c, next) => next(),
        ok,
      );
      app.post("/items", ok).delete("/items", ok);
    });
    expect(listed(m)).toEqual([
      "GET /things",
      "GET /things/items/:id",
      "POST /things/items",
      "DELETE /things/items",
    ]);
  });

  test("finds the routes of mounted sub-apps, also with an error handler of their own", () => {
    const sub = new Hono();
    sub.onError((_error, c) => c.text("bad", 400));
    sub.use("*", async (_c, next) => next());
    sub.all("/any", ok);
    sub.get("/one", ok);
    const m = module((app) => app.route("/sub", sub));
    expect(listed(m)).toEqual(["ALL /things/sub/any", "GET /things/sub/one"]);
  });

  test("finds foreign apps that were mounted", () => {
    const m = module((app) => {
      app.use("/guarded/*", async (_c, next) => next());
      app.mount("/foreign", () => new Response("foreign"));
    });
    expect(listed(m)).toEqual(["ALL /things/foreign/*"]);
  });

  test("leaves out the prefix of root services and survives services without routes", () => {
    const routes = new Hono().get("/", ok).get("/robots", ok);
    expect(listed({ name: "site", mountAtRoot: true, routes })).toEqual(["GET /", "GET /robots"]);
    expect(documentedRoutes({ name: "silent" })).toEqual([]);
  });

  test("joins documentation across patterns, optional parameters, case and missing slashes", () => {
    const m = module(
      (app) => {
        app.get("/:id{[0-9]+}", ok);
        app.get("/year/:y{[0-9]{4}}/:m?", ok);
        app.patch("/plain", ok);
      },
      {
        "GET /:id": { summary: "one" },
        "get /year/:y/:m": { summary: "two" },
        "PATCH plain": { summary: "three" },
      },
    );
    expect(documentedRoutes(m).map(({ docs }) => docs?.summary)).toEqual(["one", "two", "three"]);
  });

  test("counts a route of every method as the methods it is documented for", () => {
    const docs = { "POST /rpc": { summary: "Call" }, "GET /rpc": { summary: "Describe" } };
    const m = module((app) => app.all("/rpc", ok), docs);
    expect(listed(m)).toEqual(["GET /things/rpc", "POST /things/rpc"]);
    expect(checkRouteDocs(m)).toEqual([]);
  });

  test("does not take middleware of a documented path for a second route", () => {
    const m = module((app) => app.use("/rpc", (_c, next) => next()).post("/rpc", ok), {
      "POST /rpc": { summary: "Call" },
    });
    expect(listed(m)).toEqual(["POST /things/rpc"]);
  });

  test("takes middleware for a route when it is documented as one", () => {
    const m = module((app) => app.mount("/legacy", () => new Response("ok")), {
      "ALL /legacy/*": { summary: "The old API" },
    });
    expect(listed(m)).toEqual(["ALL /things/legacy/*"]);
  });
});

describe("documentation that throws when it is read", () => {
  const refuse = (): never => {
    throw new Error("the store is closed");
  };
  const docs = Object.defineProperties({} as Record<string, RouteDocs>, {
    "GET /gone": { enumerable: true, get: refuse },
    "GET /part": {
      enumerable: true,
      value: {
        summary: "A part",
        get detail() {
          return refuse();
        },
      },
    },
    "GET /whole": { enumerable: true, value: { summary: "The whole" } },
  });
  const m = module((app) => app.get("/gone", ok).get("/part", ok).get("/whole", ok), docs);

  test("costs only itself", () => {
    expect(documentedRoutes(m).map(({ docs }) => docs)).toEqual([
      undefined,
      { summary: "A part" },
      { summary: "The whole" },
    ]);
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    expect(documentedRoutes({ ...m, routeDocs: revoked.proxy }).map(({ docs }) => docs)).toEqual(
      Array(3).fill(undefined),
    );
  });

  test("is named", () => {
    expect(checkRouteDocs(m)).toEqual([
      'routeDocs["GET /gone"] cannot be read: the store is closed',
      'routeDocs["GET /part"].detail cannot be read: the store is closed',
      'GET /gone has no documentation; add routeDocs["GET /gone"].',
    ]);
  });
});

test("withoutPatterns drops nested braces and escaped ones", () => {
  expect(withoutPatterns("/a/:b{[a-z]{2}\\}x}/c")).toBe("/a/:b/c");
});

describe("checkRouteDocs", () => {
  const build = (app: Hono) => app.get("/items/:id{[0-9]+}", ok).get("/_panel", ok);

  test("has nothing to say about a documented service", () => {
    expect(checkRouteDocs(module(build, { "GET /items/:id": { summary: "One" } }))).toEqual([]);
  });

  test("names routes without documentation", () => {
    expect(checkRouteDocs(module(build))).toEqual([
      'GET /items/:id{[0-9]+} has no documentation; add routeDocs["GET /items/:id"].',
    ]);
  });

  test.each([
    ["GET /things/items/:id", 'omit the mount point from keys: "GET /items/:id"'],
    ["GET /items/{id}", 'write parameters with a colon: "GET /items/:id"'],
    ["GET /items/:item", 'the route\'s parameters have other names: "GET /items/:id"'],
    ["POST /items/:id", "does not exist."],
  ])("explains why %s is not found", (key, hint) => {
    const [first = ""] = checkRouteDocs(module(build, { [key]: { summary: "x" } }));
    expect(first).toStartWith(`routeDocs["${key}"] documents a route that does not exist`);
    expect(first).toContain(hint);
  });

  test("asks for a summary", () => {
    const docs = { "GET /items/:id": {} as RouteDocs };
    expect(checkRouteDocs(module(build, docs))).toEqual(['routeDocs["GET /items/:id"] has no summary.']);
  });
});
