import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { offerMethods } from "../../src/broker/index.js";
import { temporaryFolder, writePlugin } from "../../src/broker/testing/fixtures.js";
import type { ServiceModule } from "../../src/core/types.js";
import { eventually } from "../../tests/support/sandbox.js";
import type { BrokerStore } from "./service.js";
import { type BrokerHarness, createBrokerHarness } from "./testing.js";

const folder = temporaryFolder();
const pair = {
  type: "object",
  properties: { a: { type: "number" }, b: { type: "number" } },
  required: ["a", "b"],
};
const math = (version: number) => ({
  id: "com.example.math-plugin",
  service: "math",
  permissions: [{ permission: "fs-read", allow: ["/srv/**"] }, "storage"],
  methods: {
    add: { description: "Adds", inputSchema: pair, outputSchema: { type: "object" } },
    fail: {},
    slow: {},
    remember: {},
    peek: {},
    crash: {},
  },
  code: `import { storage } from "reef/broker"; import { readFileSync } from "node:fs";
    export default { services: { math: {
      add: ({ a, b }) => ({ result: a + b, version: ${version} }),
      fail() { console.log("about to fail"); throw new Error("on purpose"); },
      slow: () => Bun.sleep(60_000),
      async remember({ value }) { const before = await storage.get("k"); await storage.set("k", value); return before ?? null; },
      peek: () => readFileSync("/etc/passwd", "utf8"),
      crash: () => process.exit(1),
    } } };`,
});

/** A service that offers a method of its own and calls one of a plugin. */
const board: ServiceModule = {
  name: "board",
  dependencies: ["broker"],
  init(ctx) {
    offerMethods(ctx, "tasks", {
      double: {
        description: "Doubles through the plugin",
        inputSchema: Type.Object({ n: Type.Number() }),
        outputSchema: Type.Object({ result: Type.Number() }),
        handler: ({ n }: { n: number }) =>
          ctx.getStore<BrokerStore>("broker")?.call("com.example.math-plugin", "math", "add", { a: n, b: n }),
      },
    });
  },
};

let t: BrokerHarness;
beforeAll(async () => {
  writePlugin(folder.path, math(1));
  t = await createBrokerHarness({
    broker: { pluginsDir: folder.path, limits: { restartDelay: 1 } },
    services: [board],
  });
});
afterAll(async () => {
  await t.cleanup();
  folder.remove();
});

const call = (method: string, body?: unknown, query = "") =>
  t.json(`/broker/call/com.example.math-plugin/math/${method}${query}`, { method: "POST", auth: true, body });

describe("calls over HTTP", () => {
  test("answer with the result", async () => {
    expect(await call("add", { a: 5, b: 3 })).toMatchObject({
      status: 200,
      data: { result: { result: 8, version: 1 } },
    });
  });

  const cases: [name: string, method: string, body: unknown, query: string, status: number, words: string][] =
    [
      ["bad input", "add", { a: "x" }, "", 400, "/a must be number"],
      ["null for an input", "add", "null", "", 400, "must be object"],
      ["a bad timeout", "add", { a: 1, b: 1 }, "?timeout=never", 400, "timeout"],
      ["a timeout over the maximum", "add", { a: 1, b: 1 }, "?timeout=600001", 400, "timeout"],
      [
        "a denied file",
        "peek",
        {},
        "",
        403,
        "fs-read of /etc/passwd is denied: com.example.math-plugin allows only /srv/**",
      ],
      ["an undeclared method", "hidden", {}, "", 404, "declares no method"],
      ["a failing method", "fail", {}, "", 502, "on purpose"],
      ["a dying worker", "crash", {}, "", 502, "the worker died"],
      ["a method past its time", "slow", {}, "?timeout=30", 504, "timed out after 30 ms"],
    ];
  for (const [name, method, body, query, status, words] of cases) {
    test(`answer ${status} to ${name}`, async () => {
      const reply = await call(method, body, query);
      expect(reply.status).toBe(status);
      expect(reply.data.error).toContain(words);
    });
  }

  test.each([
    ["no JSON", "{nope"],
    ["not in UTF-8", new Uint8Array([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])],
  ])("answer 400 to a body that is %s", async (_what, body) => {
    const path = "/broker/call/com.example.math-plugin/math/remember";
    const reply = await t.fetch(path, { method: "POST", auth: true, body });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toEqual({
      error: expect.stringContaining("the request body is not valid JSON"),
    });
  });

  test("take no body, or a blank one, as an empty object", async () => {
    for (const body of [undefined, " \n"]) {
      const path = "/broker/call/com.example.math-plugin/math/add";
      const reply = await t.fetch(path, { method: "POST", auth: true, body });
      expect([reply.status, (await reply.json()).error]).toEqual([
        400,
        expect.stringContaining("invalid input"),
      ]);
    }
  });

  test("answer 404 for unknown plugins and 401 without the token", async () => {
    const unknown = await t.json("/broker/call/nobody/math/add", { method: "POST", auth: true, body: {} });
    expect(unknown.status).toBe(404);
    expect(
      (await t.json("/broker/call/com.example.math-plugin/math/add", { method: "POST", body: {} })).status,
    ).toBe(401);
  });
});

describe("GET /broker", () => {
  test("lists plugins with methods, counters, workers and the level of enforcement", async () => {
    await call("add", { a: 1, b: 1 });
    const { data } = await t.json("/broker", { auth: true });
    expect(data.count).toBe(2);
    const plugin = data.plugins.find(({ id }: { id: string }) => id === "com.example.math-plugin");
    const add = plugin.services[0].methods.find(({ name }: { name: string }) => name === "add");
    expect(add).toMatchObject({ description: "Adds", inputSchema: pair });
    expect(add.stats.calls).toBeGreaterThan(0);
    expect(["full", "partial", "none"]).toContain(data.enforcement.level);
    expect(data.workers.length).toBeGreaterThan(0);
  });

  test("lists every method as a tool", async () => {
    const { data } = await t.json("/broker/tools", { auth: true });
    const names = data.tools.map(({ name }: { name: string }) => name);
    expect(names).toContain("plugin__com.example.math-plugin__math__add");
    expect(names).toContain("plugin__board__tasks__double");
  });
});

test("permissions of a pair are shown and can be asked about", async () => {
  const { data } = await t.json("/broker/permissions/board/com.example.math-plugin", { auth: true });
  expect(data.effective["fs-read"]).toEqual({ allow: [["/srv/**"]], deny: [] });
  const check = await t.json(
    "/broker/permissions/board/com.example.math-plugin/check?permission=fs-read&resource=/etc/passwd",
    { auth: true },
  );
  expect(check.data).toMatchObject({
    allowed: false,
    reason: expect.stringContaining("allows only /srv/**"),
  });
  expect((await t.json("/broker/permissions/board/nobody", { auth: true })).status).toBe(404);
});

test.each([
  ["fs:read", "/srv/x", { allowed: true }],
  ["fs-read", "/srv/../etc/passwd", { allowed: false }],
  ["shell:execute", "git", { error: expect.stringContaining('{"command"') }],
  ["shell:execute", "null", { error: expect.stringContaining('{"command"') }],
  ["shell:execute", '{"command":"git"}', { allowed: false }],
])("whether %s of %s is permitted can be asked", async (permission, resource, answer) => {
  const query = new URLSearchParams({ permission, resource });
  const path = `/broker/permissions/board/com.example.math-plugin/check?${query}`;
  expect((await t.json(path, { auth: true })).data).toMatchObject(answer);
});

test("a file is asked about by where it is, as the operating system does, not by the name of a link", async () => {
  const away = temporaryFolder();
  mkdirSync(join(away.path, "real"));
  symlinkSync("real", join(away.path, "link"));
  symlinkSync("/etc/passwd", join(away.path, "real/out"));
  symlinkSync("round", join(away.path, "round"));
  const permissions = [{ permission: "fs-read", allow: [`${away.path}/link/**`] }];
  await t.broker.load(writePlugin(away.path, { ...math(1), id: "linking", permissions }));
  const allows = async (file: string) => {
    const query = new URLSearchParams({ permission: "fs-read", resource: join(away.path, file) });
    const { status, data } = await t.json(`/broker/permissions/linking/linking/check?${query}`, {
      auth: true,
    });
    return data.allowed ?? status;
  };
  expect(await Promise.all(["link/new", "real/new", "link/out", "round/x", "link/\0"].map(allows))).toEqual([
    true,
    true,
    false,
    false,
    400,
  ]);
  t.broker.unload("linking");
  away.remove();
});

describe("service modules", () => {
  test("offer methods and call those of plugins", async () => {
    expect(await t.call<{ result: number }>("board", "tasks", "double", { n: 4 })).toMatchObject({
      result: 8,
    });
  });

  test("get a client with positions", async () => {
    interface MathService {
      add(a: number, b: number): Promise<{ result: number }>;
    }
    const client = t.broker.createServiceClient<MathService>("com.example.math-plugin", "math");
    expect((await client.add(2, 3)).result).toBe(5);
  });
});

test("what a plugin stores is there in its next worker, what it prints is in its log", async () => {
  expect((await call("remember", { value: { n: 1 } })).data.result).toBeNull();
  await call("crash");
  expect((await call("remember", { value: 2 })).data.result).toEqual({ n: 1 });
  const { data } = await t.json("/broker/logs/com.example.math-plugin", { auth: true });
  expect(data.lines).toContainEqual(expect.objectContaining({ stream: "stdout", line: "about to fail" }));
});

test("a service that rests may try again; one that works has nothing to be released from", async () => {
  const release = (path: string) => t.json(`/broker/release/${path}`, { method: "POST", auth: true });
  expect(await release("com.example.math-plugin/math")).toMatchObject({
    status: 200,
    data: { released: false },
  });
});

test.each([
  ["GET", "/broker/logs/nobody", 'there is no plugin "nobody"'],
  ["POST", "/broker/release/nobody/math", 'there is no plugin "nobody"'],
  ["POST", "/broker/release/com.example.math-plugin/nothing", 'has no service "nothing"; it has math'],
  ["POST", "/broker/release/board/nothing", 'has no service "nothing"; it has tasks'],
])("%s %s answers 404", async (method, path, words) => {
  const reply = await t.json(path, { method, auth: true });
  expect(reply.status).toBe(404);
  expect(reply.data.error).toContain(words);
});

test("the log of a service module without a line, and of a plugin that is gone, is there", async () => {
  expect((await t.json("/broker/logs/board", { auth: true })).data).toEqual({ lines: [], count: 0 });
  writePlugin(folder.path, {
    id: "short-lived",
    methods: { go: {} },
    code: `export default { services: { main: { go() { console.log("last words"); } } } };`,
  });
  await t.broker.sync();
  await t.call("short-lived", "main", "go", {});
  const linesOf = async () => (await t.json("/broker/logs/short-lived", { auth: true })).data.lines;
  const lastWords = expect.objectContaining({ line: "last words" });
  await eventually(async () => (await linesOf()).length > 0, "what the worker printed");
  rmSync(join(folder.path, "short-lived"), { recursive: true });
  await t.broker.sync();
  expect(await linesOf()).toContainEqual(lastWords);
});

test("plugin folders are added, changed, refused and removed", async () => {
  const sync = async () => (await t.json("/broker/reload", { method: "POST", auth: true })).data;
  expect(await sync()).toEqual({ results: [], errors: [] });
  writePlugin(folder.path, math(2));
  expect((await sync()).results).toEqual([{ name: "com.example.math-plugin", action: "updated" }]);
  expect((await call("add", { a: 1, b: 1 })).data.result.version).toBe(2);

  const file = join(folder.path, "com.example.math-plugin", "package.json");
  const broken = JSON.stringify({
    name: "x",
    kunkun: { identifier: "com.example.math-plugin", services: [{ name: "math" }] },
  });
  writeFileSync(file, broken);
  expect((await sync()).errors[0].error).toContain("kunkun.services[0].main");
  expect((await call("add", { a: 1, b: 1 })).status).toBe(200);
  expect((await t.json("/broker", { auth: true })).data.failures).toHaveLength(1);

  writePlugin(folder.path, {
    id: "second",
    methods: { go: {} },
    code: "export default { services: { main: { go: () => 1 } } };",
  });
  expect((await sync()).results).toEqual([{ name: "second", action: "added" }]);
  expect(await t.call<number>("second", "main", "go", {})).toBe(1);
  for (const name of ["second", "com.example.math-plugin"])
    rmSync(join(folder.path, name), { recursive: true });
  expect((await sync()).results.map(({ action }: { action: string }) => action)).toEqual([
    "removed",
    "removed",
  ]);
  expect((await call("add", { a: 1, b: 1 })).status).toBe(404);
});

test("a plugin that was refused comes when what stood in its way is gone", async () => {
  const code = "export default { services: { main: { go: () => 1 } } };";
  const write = () => writePlugin(folder.path, { id: "wanted", methods: { go: {} }, code });
  renameSync(write(), join(folder.path, "first"));
  await t.broker.sync();
  write();
  expect((await t.broker.sync()).errors).toMatchObject([{ dir: "wanted" }]);
  rmSync(join(folder.path, "first"), { recursive: true });
  await t.broker.sync();
  await t.broker.sync();
  expect(await t.call<number>("wanted", "main", "go", {})).toBe(1);
  rmSync(join(folder.path, "wanted"), { recursive: true });
  await t.broker.sync();
});

test("an entry that cannot be looked into costs itself only, and no plugin that runs", async () => {
  const sync = () => t.json("/broker/reload", { method: "POST", auth: true });
  const loaded = () => t.broker.describe().map(({ id }) => id);
  const code = "export default { services: { main: { go: () => 1 } } };";
  writePlugin(folder.path, { id: "beside", methods: { go: {} }, code });
  symlinkSync("circle", join(folder.path, "circle"));
  symlinkSync("n".repeat(300), join(folder.path, "endless"));
  expect((await sync()).data).toEqual({ results: [{ name: "beside", action: "added" }], errors: [] });

  const own = join(folder.path, "beside");
  renameSync(own, join(folder.path, ".beside"));
  symlinkSync("n".repeat(300), own);
  const reason = { dir: "beside", error: expect.stringContaining("ENAMETOOLONG") };
  expect((await sync()).data).toEqual({ results: [], errors: [reason] });
  expect(loaded()).toContain("beside");

  renameSync(folder.path, `${folder.path}.moved`);
  const { status, data } = await sync();
  expect([status, data]).toEqual([400, { error: expect.stringContaining("ENOENT"), code: "UNREADABLE" }]);
  expect(loaded()).toContain("beside");
  renameSync(`${folder.path}.moved`, folder.path);
  for (const name of ["circle", "endless", "beside"]) rmSync(join(folder.path, name));
  expect((await sync()).data.results).toEqual([{ name: "beside", action: "removed" }]);
});

test("the operator's choice is what the broker goes by", async () => {
  const before = process.env.REEF_BROKER_ENFORCEMENT;
  process.env.REEF_BROKER_ENFORCEMENT = "off";
  const other = await createBrokerHarness().finally(() => {
    if (before === undefined) delete process.env.REEF_BROKER_ENFORCEMENT;
    else process.env.REEF_BROKER_ENFORCEMENT = before;
  });
  try {
    expect((await other.json("/broker", { auth: true })).data.enforcement.mode).toBe("off");
  } finally {
    await other.cleanup();
  }
});
