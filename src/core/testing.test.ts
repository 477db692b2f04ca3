import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Hono } from "hono";
import { createTestHarness } from "./testing.js";
import type { ServiceModule } from "./types.js";

/** Answers with what it received. */
function echo(fields: Partial<ServiceModule> = {}): ServiceModule {
  const routes = new Hono();
  routes.all("*", async (c) =>
    c.json({
      method: c.req.method,
      path: c.req.path,
      type: c.req.header("content-type") ?? null,
      body: await c.req.text(),
      env: [process.env.VERS_AUTH_TOKEN ?? null, process.env.REEF_DATA_DIR ?? null],
    }),
  );
  return { name: "echo", routes, ...fields };
}
const environment = () => [process.env.VERS_AUTH_TOKEN, process.env.REEF_DATA_DIR];

describe("a harness", () => {
  test("takes module objects, namespaces and dynamic imports", async () => {
    const t = await createTestHarness({
      services: [
        echo(),
        { default: { name: "b" } },
        Promise.resolve({ default: { name: "c" } }),
        Promise.resolve({ name: "d" }),
      ],
    });
    expect([...t.server.liveModules.keys()]).toEqual(["echo", "b", "c", "d"]);
    await t.cleanup();
  });

  test.each([
    [undefined, "undefined"],
    [null, "null"],
    ["echo", "a string"],
  ])("says which of its services is none: %p", async (none, what) => {
    const services = [echo(), none] as Parameters<typeof createTestHarness>[0]["services"];
    await expect(createTestHarness({ services })).rejects.toThrow(
      `services[1] is ${what}; pass a ServiceModule, or the result of importing one`,
    );
  });

  test("starts its services in the order of their dependencies, and names those in a circle", async () => {
    const needing = (name: string, ...dependencies: string[]) => ({ name, dependencies });
    const t = await createTestHarness({
      services: [needing("a", "b"), needing("b", "c"), needing("c"), echo()],
    });
    expect([...t.server.liveModules.keys()]).toEqual(["c", "b", "a", "echo"]);
    await t.cleanup();
    const circle = createTestHarness({ services: [needing("a", "b"), needing("b", "a")] });
    await expect(circle).rejects.toThrow("a: dependency cycle: a → b → a.");
  });

  test("sends the token when asked to, its own or another", async () => {
    const t = await createTestHarness({ services: [echo()] });
    expect(t.authToken).toBe("test-token");
    expect((await t.fetch("/echo")).status).toBe(401);
    expect((await t.fetch("/echo", { auth: true })).status).toBe(200);
    expect((await t.fetch("/echo", { auth: "other" })).status).toBe(401);
    await t.cleanup();
    const own = await createTestHarness({ services: [echo()], authToken: "mine" });
    expect((await own.fetch("/echo", { auth: "mine" })).status).toBe(200);
    expect((await own.json("/echo", { auth: true })).data.env[0]).toBe("mine");
    await own.cleanup();
  });

  test("gives status and data, which can be compared as they are; the headers are there for who asks", async () => {
    const t = await createTestHarness({ services: [echo()] });
    const reply = await t.json("/nobody", { auth: true });
    expect(reply).toStrictEqual({ status: 404, data: { error: "unknown service" } } as typeof reply);
    expect(reply.headers.get("content-type")).toContain("application/json");
    await t.cleanup();
  });

  test("has an app that is asked as one of Hono's is: by path, URL or request", async () => {
    const t = await createTestHarness({ services: [echo({ requiresAuth: false })] });
    const url = new URL("http://localhost/echo/x");
    for (const input of ["/echo/x", url.href, url, new Request(url)]) {
      const reply = await t.app.request(input, { method: "PUT", body: "text" });
      expect(await reply.json()).toMatchObject({ method: "PUT", path: "/x", body: "text" });
    }
    await t.cleanup();
  });

  test("says what to do about a dependency that it was not given", async () => {
    const needing = createTestHarness({ services: [{ name: "a", dependencies: ["b"] }] });
    await expect(needing).rejects.toThrow('Missing dependency "b" of "a". Add its module to `services` too.');
  });

  test.each<[unknown, string | null, string]>([
    [{ a: 1 }, "application/json", '{"a":1}'],
    [[], "application/json", "[]"],
    [0, "application/json", "0"],
    [false, "application/json", "false"],
    [null, "application/json", "null"],
    ["", null, ""],
    ["text", null, "text"],
    [new URLSearchParams({ a: "1" }), "application/x-www-form-urlencoded;charset=UTF-8", "a=1"],
    [new TextEncoder().encode("bytes"), null, "bytes"],
  ])("sends the body %p", async (body, type, sent) => {
    const t = await createTestHarness({ services: [echo()] });
    const { data } = await t.json("/echo/x?y", { method: "POST", auth: true, body });
    expect(data).toMatchObject({ method: "POST", path: "/x", type, body: sent });
    await t.cleanup();
  });

  test("is a POST when there is a body and a GET when there is none, unless it says so", async () => {
    const t = await createTestHarness({ services: [echo()] });
    const method = async (request: object) => (await t.json("/echo", { auth: true, ...request })).data.method;
    expect([await method({}), await method({ body: 1 }), await method({ body: 1, method: "PUT" })]).toEqual([
      "GET",
      "POST",
      "PUT",
    ]);
    const headers = { "content-type": "application/x-own" };
    expect((await t.json("/echo", { auth: true, body: {}, headers })).data.type).toBe("application/x-own");
    await t.cleanup();
  });

  test("passes on the signal with which a caller goes away", async () => {
    const seen: string[] = [];
    const routes = new Hono().get("/", async (c) => {
      const { signal } = c.req.raw;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      seen.push(String(signal.reason));
      return c.text("late");
    });
    const t = await createTestHarness({ services: [{ name: "a", routes }] });
    const leaving = new AbortController();
    const reply = t.fetch("/a", { auth: true, signal: leaving.signal });
    leaving.abort("gone");
    await reply;
    expect(seen).toEqual(["gone"]);
    await t.cleanup();
  });

  test("decodes JSON and passes on what is none", async () => {
    const routes = new Hono();
    routes.get("/text", (c) => c.text("plain", 418));
    routes.get("/nothing", (c) => c.body(null, 204));
    const t = await createTestHarness({ services: [{ name: "a", routes }] });
    expect(await t.json("/a/text", { auth: true })).toMatchObject({ status: 418, data: "plain" });
    expect(await t.json("/a/nothing", { auth: true })).toMatchObject({ status: 204, data: undefined });
    expect((await t.json("/a/missing", { auth: true })).data).toEqual({ error: "not found" });
    await t.cleanup();
  });

  test("works for a module without routes, and calls its init", async () => {
    let heard: unknown;
    const hear = (data: unknown) => {
      heard = data;
    };
    const t = await createTestHarness({
      services: [{ name: "quiet", init: (ctx) => void ctx.events.on("x", hear) }],
    });
    await t.server.events.emit("x", 7);
    expect([heard, (await t.fetch("/quiet", { auth: true })).status]).toEqual([7, 404]);
    await t.cleanup();
  });

  test.each([undefined, null, {}, { services: { name: "a" } }, [{ name: "a" }]])(
    "says what it takes when it is given %p",
    async (options) => {
      const before = environment();
      const making = createTestHarness(options as never);
      await expect(making).rejects.toThrow("createTestHarness requires { services: [ … ] }");
      expect(environment()).toEqual(before);
    },
  );

  test.each<[string, ServiceModule[], RegExp]>([
    [
      "a failing init",
      [{ name: "a", init: () => Promise.reject(new Error("why")) }],
      /a: Module "a" init\(\) failed: why/,
    ],
    ["a missing dependency", [{ name: "a", dependencies: ["b"] }], /a: Missing dependency "b"/],
    ["a bad module", [{ name: "bad name" }], /bad name/],
  ])("rejects for %s, and leaves nothing behind", async (_what, services, message) => {
    const before = environment();
    expect(createTestHarness({ services })).rejects.toThrow(message);
    await Bun.sleep(0);
    expect(environment()).toEqual(before);
  });
});

describe("cleanup", () => {
  test("flushes stores and leaves them open, then removes the data folder", async () => {
    const calls: string[] = [];
    const t = await createTestHarness({
      services: [
        {
          name: "a",
          dispose: () => void calls.push("dispose"),
          store: {
            flush: () => {
              calls.push(`flush, folder: ${existsSync(t.dataDir)}`);
              writeFileSync(join(t.dataDir, "saved"), "x");
            },
            close: () => void calls.push("close"),
          },
        },
      ],
    });
    expect(existsSync(t.dataDir)).toBe(true);
    await t.cleanup();
    expect(calls).toEqual(["dispose", "flush, folder: true"]);
    expect(existsSync(t.dataDir)).toBe(false);
  });

  test("restores the environment, also when it had no such variables", async () => {
    const before = environment();
    const { VERS_AUTH_TOKEN, REEF_DATA_DIR } = process.env;
    try {
      delete process.env.VERS_AUTH_TOKEN;
      process.env.REEF_DATA_DIR = "/somewhere";
      const t = await createTestHarness({ services: [] });
      expect(environment()).toEqual([t.authToken, t.dataDir]);
      await t.cleanup();
      expect(environment()).toEqual([undefined, "/somewhere"]);
      expect("VERS_AUTH_TOKEN" in process.env).toBe(false);
    } finally {
      if (VERS_AUTH_TOKEN !== undefined) process.env.VERS_AUTH_TOKEN = VERS_AUTH_TOKEN;
      process.env.REEF_DATA_DIR = REEF_DATA_DIR;
    }
    expect(environment()).toEqual(before);
  });

  test.each([
    ["in the order they were made", [0, 1, 2]],
    ["the other way round", [2, 1, 0]],
    ["in any order", [1, 0, 2]],
  ])("of several harnesses %s restores what was there before the first", async (_what, order) => {
    const before = environment();
    const all = [];
    for (const token of ["one", "two", "three"])
      all.push(await createTestHarness({ services: [echo()], authToken: token }));
    expect(new Set(all.map(({ dataDir }) => dataDir)).size).toBe(3);
    for (const n of order) await all[n]?.cleanup();
    expect(environment()).toEqual(before);
  });
});

test("two harnesses at once do not see each other's tokens, events or data", async () => {
  const module = (heard: string[]): ServiceModule =>
    echo({ init: (ctx) => void ctx.events.on("x", (data) => void heard.push(data)) });
  const heard: [string[], string[]] = [[], []];
  const a = await createTestHarness({ services: [module(heard[0])], authToken: "a" });
  const b = await createTestHarness({ services: [module(heard[1])], authToken: "b" });
  expect((await a.fetch("/echo", { auth: "b" })).status).toBe(401);
  expect((await a.fetch("/echo", { auth: true })).status).toBe(200);
  await a.server.events.emit("x", "for a");
  expect(heard).toEqual([["for a"], []]);
  await b.cleanup();
  expect((await a.fetch("/echo", { auth: true })).status).toBe(200);
  expect(existsSync(a.dataDir)).toBe(true);
  await a.cleanup();
});

test("logs are kept for the test to read and not printed", async () => {
  const routes = new Hono().get("/", () => {
    throw new Error("seen in the log");
  });
  const t = await createTestHarness({ services: [{ name: "a", routes }] });
  expect((await t.fetch("/a", { auth: true })).status).toBe(500);
  expect(
    t.logs
      .lines("a")
      .map(({ text }) => text)
      .join(),
  ).toContain("seen in the log");
  await t.cleanup();
});
