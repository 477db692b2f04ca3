import { afterEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Hono } from "hono";
import { createTestHarness, type TestHarness } from "../../src/core/testing.js";
import type { Json, ServiceModule } from "../../src/core/types.js";
import { type Reef, startReef } from "../../tests/support/sandbox.js";
import { createDocs } from "./index.js";
import type { Docs, ServiceEntry } from "./model.js";

const endings: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

async function harness(...services: ServiceModule[]): Promise<TestHarness> {
  const t = await createTestHarness({ services: [...services, createDocs()] });
  endings.push(t.cleanup);
  return t;
}

function things(): ServiceModule {
  const routes = new Hono();
  routes.use("*", (_c, next) => next());
  routes.get("/", (c) => c.json([]));
  routes.get("/:id{[0-9]+}", (c) => c.json({}));
  routes.post("/", (c) => c.json({}, 201));
  return {
    name: "things",
    description: "Things to have",
    routes,
    dependencies: [],
    registerTools: (pi) =>
      pi.registerTool({
        name: "things_make",
        label: "Things: make",
        description: "Makes a thing",
        parameters: Type.Object({ name: Type.String() }),
        execute: async () => ({ content: [], details: {} }),
      }),
    routeDocs: {
      "GET /": {
        summary: "List things",
        params: { status: { type: "string", required: false, description: "Filter" } },
        response: "{ items, count }",
      },
      "GET /:id": { summary: "One thing" },
    },
    eventDocs: { "things:made": { description: "A thing was made" } },
  };
}

test("the page's files are there under their own names only", async () => {
  const t = await harness();
  for (const file of ["app.js", "style.css"]) expect((await t.json(`/docs/ui/${file}`)).status).toBe(200);
  for (const file of ["appXjs", "style_css", "app.jsx", "constructor"]) {
    expect((await t.json(`/docs/ui/${file}`)).status).toBe(404);
  }
});

test("a tree event has the fields that are documented as required, and none else needs to be there", async () => {
  const t = await harness();
  const { data } = await t.json<Docs>("/docs");
  const { schema } = data.server.events.find(({ name }) => name === "reef:event") as { schema: Json };
  const whole: Record<string, string> = Object.fromEntries(
    schema.required.map((field: string) => [field, "x"]),
  );
  const emit = (event: object) => t.server.events.emit("reef:event", { source: "docs", ...event });
  expect(await emit(whole)).toMatchObject(whole);
  for (const field of schema.required) {
    const { [field]: _, ...rest } = whole;
    await expect(emit(rest)).rejects.toThrow(`needs "${field}"`);
  }
});

describe("GET /docs", () => {
  test("joins what the app answers with what its author says", async () => {
    const t = await harness(things());
    const { status, data } = await t.json<Docs>("/docs");
    expect(status).toBe(200);
    expect(data.count).toBe(2);
    const [own, service] = data.services;
    expect(own?.name).toBe("docs");
    expect(service).toMatchObject({
      name: "things",
      description: "Things to have",
      auth: true,
      capabilities: { hasTools: true, hasBehaviors: false, hasWidget: false, hasStore: false },
      dependencies: [],
      events: [{ name: "things:made", description: "A thing was made" }],
      tools: [
        {
          name: "things_make",
          description: "Makes a thing",
          parameters: { type: "object", properties: { name: { type: "string" } } },
        },
      ],
    });
    expect(service?.routes).toMatchObject([
      {
        method: "GET",
        path: "/things",
        route: "/",
        summary: "List things",
        params: { status: { type: "string", required: false, description: "Filter" } },
        response: "{ items, count }",
      },
      { method: "GET", path: "/things/:id", route: "/:id{[0-9]+}", summary: "One thing" },
      { method: "POST", path: "/things", auth: true },
    ]);
    expect(service?.routes[2]).not.toHaveProperty("summary");
  });

  test("gives one service by name, and 404 with a reason for others", async () => {
    const t = await harness(things());
    expect((await t.json<ServiceEntry>("/docs/things")).data.routes).toHaveLength(3);
    const missing = await t.json("/docs/nobody");
    expect(missing).toMatchObject({ status: 404, data: { error: "unknown service" } });
  });

  test("answers 304 to those who have the present edition", async () => {
    const t = await harness(things());
    const etag = (await t.fetch("/docs")).headers.get("etag") ?? "";
    expect((await t.fetch("/docs", { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await t.fetch("/docs", { headers: { "if-none-match": "*" } })).status).toBe(304);
    expect((await t.fetch("/docs", { headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  test("survives documentation of the wrong shape", async () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const odd = {
      summary: 7,
      params: "none",
      body: { a: null, b: 5 },
      schemas: { body: cycle },
      responses: { abc: 1, 200: null },
      examples: { a: 1 },
    };
    const t = await harness({ ...things(), routeDocs: { "GET /": odd } as never });
    const { status, data } = await t.json<ServiceEntry>("/docs/things");
    expect(status).toBe(200);
    expect(data.routes[0]).not.toHaveProperty("summary");
    expect((await t.fetch("/docs/openapi.json")).status).toBe(200);
    expect((await t.fetch("/docs/ui")).status).toBe(200);
  });

  test("leaves out what throws when it is read, and nothing else", async () => {
    const refuse = (): never => {
      throw new Error("the store is closed");
    };
    const traps = (...names: string[]) => {
      const trap = { enumerable: true, get: refuse };
      return Object.defineProperties({}, Object.fromEntries(names.map((name) => [name, trap])));
    };
    const routes = new Hono();
    for (const name of ["summary", "schemas", "params", "responses", "examples"])
      routes.get(`/${name}`, (c) => c.text(""));
    const trapped: ServiceModule = {
      name: "trapped",
      routes,
      routeDocs: {
        "GET /summary": traps("summary", "auth"),
        "GET /schemas": { summary: "Schemas", schemas: traps("body", "query") },
        "GET /params": {
          summary: "Params",
          params: { good: { type: "string", description: "Good" }, bad: traps("type") },
        },
        "GET /responses": {
          summary: "Responses",
          responses: Object.assign(traps("404"), { 200: traps("description") }),
        },
        "GET /examples": { summary: "Examples", examples: [traps("body")] },
      } as never,
      eventDocs: { "trapped:one": { description: "One" }, "trapped:two": traps("description") as never },
    };
    const t = await harness(things(), trapped);
    for (const path of ["/docs", "/docs/openapi.json", "/docs/ui"])
      expect([path, (await t.fetch(path)).status]).toEqual([path, 200]);
    const { data } = await t.json<ServiceEntry>("/docs/trapped");
    expect(data.routes.map(({ summary }) => summary)).toEqual([
      undefined,
      "Schemas",
      "Params",
      "Responses",
      "Examples",
    ]);
    expect(data.routes[2]?.params).toMatchObject({ good: { type: "string", description: "Good" } });
    expect(data.events).toMatchObject([{ description: "One" }, { name: "trapped:two", description: "" }]);
  });

  test("tells the page from a service called ui by what the caller accepts", async () => {
    const ui: ServiceModule = {
      name: "ui",
      mountAtRoot: true,
      routes: new Hono().get("/x", (c) => c.text("x")),
    };
    const t = await harness(ui);
    const asJson = await t.json("/docs/ui", { headers: { accept: "application/json" } });
    expect(asJson.data.routes).toMatchObject([{ path: "/x" }]);
    const page = await t.fetch("/docs/ui");
    expect(page.headers.get("content-type")).toStartWith("text/html");
  });
});

describe("methods", () => {
  const broker = (describe: () => unknown): ServiceModule => ({
    name: "broker",
    store: { describe } as never,
  });
  const provider = (id: string) => ({
    id,
    services: [
      {
        name: "math",
        methods: [{ name: "add", description: "Adds", inputSchema: { type: "object" }, outputSchema: {} }],
      },
    ],
  });

  test("of plugins stand with the broker, those of services with the service", async () => {
    const t = await harness(
      things(),
      broker(() => [provider("com.example.calc"), provider("things")]),
    );
    const { data } = await t.json<Docs>("/docs");
    const named = Object.fromEntries(data.services.map(({ name, methods }) => [name, methods]));
    expect(named.broker).toMatchObject([
      { provider: "com.example.calc", path: "/broker/call/com.example.calc/math/add" },
    ]);
    expect(named.things).toMatchObject([{ provider: "things", service: "math", name: "add" }]);
    const { data: openapi } = await t.json("/docs/openapi.json");
    expect(openapi.paths["/broker/call/com.example.calc/math/add"].post.summary).toBe(
      "Call math.add of com.example.calc",
    );
  });

  test("follow at once when a plugin comes, and a broker that fails costs only its methods", async () => {
    let plugins: unknown[] = [];
    const t = await harness(
      broker(() => {
        if (plugins.length > 1) throw new Error("broken");
        return plugins;
      }),
    );
    const count = async () => (await t.json<ServiceEntry>("/docs/broker")).data.methods.length;
    expect(await count()).toBe(0);
    plugins = [provider("a")];
    expect(await count()).toBe(1);
    plugins = [provider("a"), provider("b")];
    expect(await count()).toBe(0);
  });
});

describe("while services come and go", () => {
  async function reefWithDocs(services: Record<string, string>): Promise<Reef> {
    const reef = await startReef(services, { modules: [createDocs()] });
    endings.push(reef.end);
    return reef;
  }

  const source = (summary: string, head = "") => `
    import { Hono } from "hono";
    ${head}
    const routes = new Hono().get("/", (c) => c.text("hi"));
    export default { name: "a", routes, routeDocs: { "GET /": { summary: ${JSON.stringify(summary)} } } };`;

  test("follows a reload at once", async () => {
    const reef = await reefWithDocs({ "a/index.ts": source("before") });
    const summary = async () => {
      const { routes } = (await (await reef.app.request("/docs/a")).json()) as ServiceEntry;
      return routes[0]?.summary;
    };
    expect(await summary()).toBe("before");
    reef.sandbox.services({ "a/index.ts": source("after") });
    await reef.registry.view().reload("a");
    expect(await summary()).toBe("after");
    await reef.registry.view().unload("a");
    expect((await reef.app.request("/docs/a")).status).toBe(404);
  });

  test("names skipped services with their reason, without secrets and paths", async () => {
    const boom = (text: string) => source("x", `throw new Error(${JSON.stringify(text)});`);
    const reef = await reefWithDocs({
      "a/index.ts": boom("cannot reach postgres://ann:hunter2@db/x"),
      "b/index.ts": boom("cannot open /srv/private/key.pem with token=abc"),
      "c/index.ts": 'import "./missing.js";',
      "d/readme.md": "",
      "e/index.ts": 'export default { name: "e", dependencies: ["nobody"] };',
    });
    await reef.registry.view().sync();
    const text = await (await reef.app.request("/docs")).text();
    const { skipped } = JSON.parse(text) as Docs;
    const reasons = Object.fromEntries(skipped.map(({ name, code, reason }) => [name, `${code} ${reason}`]));
    expect(reasons.a).toContain("IMPORT_FAILED");
    expect(reasons.a).toContain("cannot reach postgres://[hidden]@db/x");
    expect(reasons.b).toContain("cannot open [path] with token=[hidden]");
    expect(reasons.c).toContain("./missing.js");
    expect(reasons.d).toBe("NO_ENTRY the folder has no index.ts.");
    expect(reasons.e).toContain('Missing dependency "nobody"');
    const health = await (await reef.app.request("/health")).text();
    const page = await (await reef.app.request("/docs/ui")).text();
    for (const everything of [text, health, page]) {
      expect(everything).toContain("IMPORT_FAILED");
      for (const secret of ["hunter2", "/srv/private", "token=abc", reef.sandbox.root]) {
        expect(everything).not.toContain(secret);
      }
    }
    const { status, ...reply } = await reef.app
      .request("/docs/d")
      .then(async (r) => ({ status: r.status, body: await r.json() }));
    expect(status).toBe(404);
    expect(reply.body).toMatchObject({ skipped: { code: "NO_ENTRY" } });
  });

  test("shows that a change did not take while the version before serves on", async () => {
    const reef = await reefWithDocs({ "a/index.ts": source("good") });
    reef.sandbox.services({ "a/index.ts": "export default {" });
    await expect(reef.registry.view().reload("a")).rejects.toThrow();
    const entry = (await (await reef.app.request("/docs/a")).json()) as ServiceEntry;
    expect(entry.routes[0]?.summary).toBe("good");
    expect(entry.failure).toMatchObject({ code: "IMPORT_FAILED", step: "import" });
  });

  test("shows what the operator has switched off", async () => {
    const reef = await reefWithDocs({ "a/index.ts": source("good") });
    await reef.registry.view().disable("a");
    const { skipped } = (await (await reef.app.request("/docs")).json()) as Docs;
    expect(skipped).toMatchObject([{ name: "a", state: "disabled" }]);
  });
});
