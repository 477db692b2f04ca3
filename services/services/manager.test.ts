import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type Managed, startManaged } from "../../tests/support/managed.js";
import { answering, eventually } from "../../tests/support/sandbox.js";

let m: Managed;

beforeAll(async () => {
  m = await startManaged({
    "base/index.ts": answering("base", "base"),
    "top/index.ts": answering("top", "top", `dependencies: ["base"], description: "needs base",`),
  });
});
afterAll(() => m.end());

const text = async (path: string) => (await m.api("GET", path)).data;

describe("names that stand for no service of one's own", () => {
  const names = [
    "../x",
    "..%2fx",
    "a%2Fb",
    ".",
    "%2e",
    "%2e%2e",
    "services",
    "SERVICES",
    "a".repeat(300),
    "x%00",
  ];
  const operations: Array<[string, string]> = [
    ["POST", "/services/reload/"],
    ["POST", "/services/rollback/"],
    ["POST", "/services/enable/"],
    ["POST", "/services/disable/"],
    ["GET", "/services/export/"],
    ["DELETE", "/services/"],
  ];

  for (const [method, path] of operations) {
    // To export the manager only reads it.
    const refused = path.includes("export") ? names.filter((name) => name !== "services") : names;
    test.each(refused)(`${method} ${path}%s is refused with a reason`, async (name) => {
      // Built by hand: clients resolve dots before they send.
      const response = await m.reef.app.fetch(
        Object.defineProperty(
          new Request("http://localhost/", {
            method,
            headers: { authorization: `Bearer ${m.reef.token.value}` },
          }),
          "url",
          { value: `http://localhost${path}${name}` },
        ),
      );
      expect([400, 404, 409]).toContain(response.status);
      expect(((await response.json()) as { error: string }).error.length).toBeGreaterThan(5);
    });
  }

  test.each(["../x", "a/b", ".", "..", "%2e%2e", "services", "", "a".repeat(300), "nope"])(
    "deploying %p is refused",
    async (name) => {
      const { status, data } = await m.deploy(name);
      expect([400, 404, 409]).toContain(status);
      expect(data.error).toStartWith("validate: ");
      expect(data.deployed).toBe(false);
    },
  );

  test.each([[undefined], [[]], ["x"], [{ name: 7 }], [{}]])("a deploy of %p is refused", async (body) => {
    const { status, data } = await m.api("POST", "/services/deploy", body);
    expect(status).toBe(400);
    expect(typeof data.error).toBe("string");
  });

  test("after all that the manager still serves", async () => {
    expect((await m.api("GET", "/services")).status).toBe(200);
  });
});

test("the list shows state, generation and digest of each service", async () => {
  const { data } = await m.api("GET", "/services");
  expect(data.count).toBe(data.modules.length);
  const top = data.modules.find((entry: { name: string }) => entry.name === "top");
  expect(top).toMatchObject({
    name: "top",
    description: "needs base",
    hasRoutes: true,
    hasTools: false,
    hasBehaviors: false,
    hasWidget: false,
    mountAtRoot: false,
    dependencies: ["base"],
    state: "loaded",
    generation: 1,
  });
  expect(top.digest).toMatch(/^[0-9a-f]{64}$/);
});

test("one service in full has its routes, dependents and a ledger for each version", async () => {
  await text("/base");
  const { data } = await m.api("GET", "/services/base");
  expect(data.dependents).toEqual(["top"]);
  expect(data.routes).toEqual([{ method: "GET", path: "/" }]);
  expect(data.generations).toHaveLength(1);
  expect(data.generations[0]).toMatchObject({ generation: 1, state: "serving" });
  expect(data.generations[0].ledger.served).toBeGreaterThan(0);
  expect((await m.api("GET", "/services/nobody")).status).toBe(404);
});

test("the manager's own code can be exported, and nothing of it changed", async () => {
  const { status, data } = await m.api("GET", "/services/export/services");
  expect([status, typeof data]).toEqual([200, "string"]);
  expect((await m.api("POST", "/services/reload/services")).data.code).toBe("PROTECTED");
});

test("a version that still streams is listed with what is in it", async () => {
  const source = (label: string) => `import { Hono } from "hono";
    const routes = new Hono();
    routes.get("/", (c) => c.text("${label}"));
    routes.get("/stream", (c) => {
      const timer = {};
      const body = new ReadableStream({
        start(controller) {
          timer.id = setInterval(() => controller.enqueue("data: ${label}\\n\\n"), 5);
        },
        cancel() { clearInterval(timer.id); },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    export default { name: "ticker", routes };`;
  m.sandbox.services({ "ticker/index.ts": source("one") });
  await m.api("POST", "/services/reload");
  const client = new AbortController();
  const stream = await fetch(`${m.url}/ticker/stream`, {
    headers: { authorization: `Bearer ${m.reef.token.value}` },
    signal: client.signal,
  });
  await stream.body?.getReader().read();
  m.sandbox.services({ "ticker/index.ts": source("two") });
  await m.api("POST", "/services/reload/ticker");
  const { data } = await m.api("GET", "/services/ticker");
  expect(data.draining).toBe(1);
  expect(data.generations.map((entry: { state: string }) => entry.state)).toEqual(["serving", "draining"]);
  expect(data.generations[1].ledger.streams).toBe(1);
  client.abort();
  await eventually(async () => (await m.api("GET", "/services/ticker")).data.draining === 0, "the drain");
});

test("reload adds, updates and removes, and says so", async () => {
  m.sandbox.services({ "fresh/index.ts": answering("fresh", "one") });
  expect((await m.api("POST", "/services/reload")).data).toEqual({
    results: [{ name: "fresh", action: "added" }],
    errors: [],
  });
  m.sandbox.services({ "fresh/index.ts": answering("fresh", "two") });
  expect((await m.api("POST", "/services/reload")).data.results).toEqual([
    { name: "fresh", action: "updated" },
  ]);
  expect(await text("/fresh")).toBe("two");
  expect((await m.api("POST", "/services/reload")).data.results).toEqual([]);
  rmSync(join(m.sandbox.servicesDir, "fresh"), { recursive: true });
  expect((await m.api("POST", "/services/reload")).data.results).toEqual([
    { name: "fresh", action: "removed" },
  ]);
  expect((await m.api("GET", "/fresh")).status).toBe(404);
});

test("reload takes new services in dependency order, whatever their names", async () => {
  m.sandbox.services({
    "a-last/index.ts": answering("a-last", "x", `dependencies: ["m-middle"],`),
    "m-middle/index.ts": answering("m-middle", "x", `dependencies: ["z-first"],`),
    "z-first/index.ts": answering("z-first", "x"),
  });
  const { data } = await m.api("POST", "/services/reload");
  expect(data.results.map((entry: { name: string }) => entry.name)).toEqual([
    "z-first",
    "m-middle",
    "a-last",
  ]);
});

describe("removal", () => {
  test("is refused while something depends on the service, unless forced", async () => {
    const refused = await m.api("DELETE", "/services/base");
    expect(refused.status).toBe(409);
    expect(refused.data.error).toContain('"top"');
    expect(await text("/base")).toBe("base");
    expect((await m.api("DELETE", "/services/base?force=true")).data).toEqual({
      name: "base",
      action: "removed",
    });
    expect((await m.api("GET", "/base")).status).toBe(404);
    await m.api("POST", "/services/reload");
    expect(await text("/base")).toBe("base");
  });

  test.each(["maybe", "", "1", "TRUE", "true&force=true"])("force=%s is refused", async (force) => {
    for (const [method, path] of [
      ["DELETE", "/services/top"],
      ["POST", "/services/disable/top"],
    ] as const) {
      const { status, data } = await m.api(method, `${path}?force=${force}`);
      expect([status, data.error]).toEqual([400, expect.stringContaining("force must be true or false")]);
    }
    expect(await text("/top")).toBe("top");
  });

  test("force=false is none", async () => {
    expect((await m.api("DELETE", "/services/base?force=false")).status).toBe(409);
  });

  test("keeps the folder", async () => {
    await m.api("DELETE", "/services/top");
    expect(existsSync(join(m.sandbox.servicesDir, "top", "index.ts"))).toBe(true);
    await m.api("POST", "/services/reload/top");
    expect(await text("/top")).toBe("top");
  });

  test("of the manager is refused, forced or not", async () => {
    expect((await m.api("DELETE", "/services/services?force=true")).status).toBe(409);
  });
});

test.each([
  ["rollback/top", { to: "0123456" }, "to"],
  ["disable/top", { why: "holidays" }, "why"],
])(
  "POST /services/%s refuses %p: a misspelt field would do something else than was meant",
  async (path, body, field) => {
    const { data: before } = await m.api("GET", "/services/top");
    const { status, data } = await m.api("POST", `/services/${path}`, body);
    expect([status, data.error]).toEqual([400, expect.stringContaining(field)]);
    const { data: after } = await m.api("GET", "/services/top");
    expect([after.state, after.generation]).toEqual(["loaded", before.generation]);
  },
);

test("statuses follow the failure: 404 unknown, 400 failed, 409 in the way", async () => {
  expect((await m.api("POST", "/services/reload/nobody")).status).toBe(404);
  m.sandbox.services({ "broken/index.ts": "export default {" });
  const broken = await m.api("POST", "/services/reload/broken");
  expect(broken.status).toBe(400);
  expect(broken.data).toMatchObject({ code: "IMPORT_FAILED", step: "import" });
  m.sandbox.services({ "double/index.ts": answering("base", "usurper") });
  expect((await m.api("POST", "/services/reload/double")).status).toBe(409);
  expect(await text("/base")).toBe("base");
  const { data } = await m.api("GET", "/services");
  const statesOf = (entries: { name: string; state: string }[]) =>
    Object.fromEntries(entries.map(({ name, state }) => [name, state]));
  expect(statesOf(data.modules)).toMatchObject({ base: "loaded" });
  expect(statesOf(data.notLoaded)).toMatchObject({ broken: "failed", double: "failed" });
});

test("the list counts as modules what is loaded; what failed or is switched off stands beside them", async () => {
  m.sandbox.services({ "broken/index.ts": "export default {", "dark/index.ts": answering("dark", "dark") });
  await m.api("POST", "/services/reload");
  await m.api("POST", "/services/disable/dark", { reason: "too bright" });
  const { data } = await m.api("GET", "/services");
  const names = (entries: { name: string }[]) => entries.map(({ name }) => name);
  expect(data.count).toBe(data.modules.length);
  expect(new Set(data.modules.map(({ state }: { state: string }) => state))).toEqual(new Set(["loaded"]));
  expect(names(data.modules)).not.toContain("broken");
  expect(names(data.notLoaded)).toEqual(expect.arrayContaining(["broken", "dark"]));
  expect(data.notLoaded).toContainEqual(
    expect.objectContaining({ name: "dark", state: "disabled", reason: "too bright" }),
  );
  await m.api("POST", "/services/enable/dark");
  expect(names((await m.api("GET", "/services")).data.modules)).toContain("dark");
});

test("a service called like the manager does not take its place", async () => {
  m.sandbox.services({ "impostor/index.ts": answering("services", "mine now", "requiresAuth: false,") });
  expect((await m.api("POST", "/services/reload/impostor")).status).toBe(409);
  expect((await fetch(`${m.url}/services`)).status).toBe(401);
});

test("logs are there for running and for failed services", async () => {
  m.sandbox.services({
    "talker/index.ts": `console.log("hello from talker"); export default { name: "talker" };`,
  });
  await m.api("POST", "/services/reload/talker");
  const { data } = await m.api("GET", "/services/talker/logs");
  expect(data.lines.map((line: { text: string }) => line.text)).toContain("hello from talker");
  expect(data.count).toBe(data.lines.length);
});

test("the manifest tells routes with their whole path, tools and events", async () => {
  m.sandbox.services({
    "rich/index.ts": `import { Hono } from "hono";
      const routes = new Hono().get("/items/:id{[0-9]+}", (c) => c.text("")).get("/_panel", (c) => c.html(""));
      export default {
        name: "rich", routes,
        routeDocs: { "GET /items/:id": { summary: "One item" } },
        registerTools(pi) { pi.registerTool({ name: "rich_get", description: "Gets one", label: "Get", parameters: { type: "object", properties: {} }, async execute() { return { content: [], details: {} }; } }); },
        init(ctx) { ctx.events.on("base:changed", () => {}); },
      };`,
  });
  await m.api("POST", "/services/reload/rich");
  const { data } = await m.api("GET", "/services/manifest");
  expect(data.routes).toContainEqual({
    service: "rich",
    method: "GET",
    path: "/rich/items/:id",
    description: "One item",
  });
  expect(data.services.find((entry: { name: string }) => entry.name === "rich")).toMatchObject({
    features: ["routes", "tools", "panel"],
    tools: [{ name: "rich_get", description: "Gets one" }],
    events: { listensTo: ["base:changed"] },
  });
  expect(data.servicesWithTools).toContain("rich");
  expect(data.servicesWithPanels).toEqual(["rich"]);
});

test("the manifest is there when documentation throws as soon as it is read, and a deploy names that", async () => {
  m.sandbox.services({
    "moody/index.ts": `import { Hono } from "hono";
      const docs = { get summary() { throw new Error("no summary today"); } };
      export default { name: "moody", routes: new Hono().get("/", (c) => c.text("")), routeDocs: { "GET /": docs } };`,
  });
  const { data: report } = await m.api("POST", "/services/deploy", { name: "moody" });
  expect(report.warnings).toContain('routeDocs["GET /"].summary cannot be read: no summary today');
  const { status, data } = await m.api("GET", "/services/manifest");
  expect(status).toBe(200);
  expect(data.routes).toContainEqual({ service: "moody", method: "GET", path: "/moody", description: "" });
});

test("its code is loaded without TypeBox, which no start should wait for", async () => {
  const script = `Bun.plugin({ name: "no TypeBox", setup: (build) =>
      void build.onLoad({ filter: /@sinclair.typebox/ }, ({ path }) => { throw new Error(path); }) });
    await import(${JSON.stringify(join(import.meta.dir, "index.ts"))});`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "ignore", stderr: "pipe" });
  expect(await new Response(child.stderr).text()).toBe("");
  expect(await child.exited).toBe(0);
});

describe("a service folder that is a link", () => {
  test("is loaded, deployed, rolled back and listed like any other", async () => {
    const outside = join(m.sandbox.root, "elsewhere");
    mkdirSync(outside);
    symlinkSync(outside, join(m.sandbox.servicesDir, "linked"));
    m.sandbox.write("elsewhere/index.ts", answering("linked", "one"));
    expect((await m.deploy("linked")).data.deployed).toBe(true);
    m.sandbox.write("elsewhere/index.ts", answering("linked", "two"));
    expect((await m.api("POST", "/services/reload")).data.results).toEqual([
      { name: "linked", action: "updated" },
    ]);
    expect(await text("/linked")).toBe("two");
    expect((await m.api("POST", "/services/rollback/linked")).status).toBe(200);
    expect(await text("/linked")).toBe("one");
  });
});

test("a rollback whose code cannot be written says which file and why, and the version serves on", async () => {
  for (const version of ["one", "two"]) {
    m.sandbox.services({ "stuck/index.ts": answering("stuck", version) });
    expect((await m.deploy("stuck")).data.deployed).toBe(true);
  }
  const inTheWay = join(m.sandbox.servicesDir, "stuck/index.ts.tmp");
  mkdirSync(inTheWay);
  expect(await m.api("POST", "/services/rollback/stuck")).toMatchObject({
    status: 400,
    data: { code: "UNREADABLE", error: expect.stringContaining("stuck/index.ts") },
  });
  expect(await text("/stuck")).toBe("two");
  rmSync(inTheWay, { recursive: true });
  expect((await m.api("POST", "/services/rollback/stuck")).status).toBe(200);
});

describe("switching off", () => {
  test("outlives a restart, is shown with its reason, and is undone by enable", async () => {
    m.sandbox.services({ "lamp/index.ts": answering("lamp", "lit") });
    await m.api("POST", "/services/reload/lamp");
    const off = await m.api("POST", "/services/disable/lamp", { reason: "too bright" });
    expect(off.data).toEqual({ name: "lamp", action: "disabled" });
    await m.api("POST", "/services/reload");
    expect((await m.api("GET", "/lamp")).status).toBe(404);
    expect((await m.api("POST", "/services/reload/lamp")).status).toBe(409);

    await m.stop();
    m = await startManaged({}, { sandbox: m.sandbox });
    const { data } = await m.api("GET", "/services/lamp");
    expect(data).toMatchObject({ state: "disabled", reason: "too bright" });
    expect((await m.api("GET", "/lamp")).status).toBe(404);
    expect((await m.api("POST", "/services/enable/lamp")).data).toEqual({ name: "lamp", action: "added" });
    expect(await text("/lamp")).toBe("lit");

    await m.stop();
    m = await startManaged({}, { sandbox: m.sandbox });
    expect(await text("/lamp")).toBe("lit");
  });

  test("of a folder outlives a restart too when its service is called otherwise", async () => {
    m.sandbox.services({ "attic/index.ts": answering("torch", "lit") });
    await m.api("POST", "/services/reload/attic");
    expect((await m.api("POST", "/services/disable/attic")).status).toBe(200);
    expect((await m.api("GET", "/torch")).status).toBe(404);
    await m.stop();
    m = await startManaged({}, { sandbox: m.sandbox });
    expect((await m.api("GET", "/torch")).status).toBe(404);
    expect((await m.api("POST", "/services/enable/torch")).data).toEqual({ name: "torch", action: "added" });
    expect(await text("/torch")).toBe("lit");
  });

  test("is refused while something depends on the service", async () => {
    expect((await m.api("POST", "/services/disable/base")).status).toBe(409);
    expect(await text("/base")).toBe("base");
  });
});
