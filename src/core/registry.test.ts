import { afterEach, describe, expect, test } from "bun:test";
import { endRegistries, startRegistry } from "../../tests/support/registry.js";
import { answering, eventually } from "../../tests/support/sandbox.js";

afterEach(endRegistries);

describe("the queue", () => {
  test("runs one change after the other, also when they are asked for at once", async () => {
    const { registry } = await startRegistry({
      "a/index.ts": `globalThis.__changes ??= { now: 0, most: 0 };
        const changes = globalThis.__changes;
        export default { name: "a", async init() {
          changes.most = Math.max(changes.most, ++changes.now); await Bun.sleep(1); changes.now--;
        } };`,
    });
    await Promise.all(Array.from({ length: 20 }, () => registry.reload("a")));
    expect((globalThis as unknown as { __changes: object }).__changes).toEqual({ now: 0, most: 1 });
    expect(registry.get("a")?.generation).toBe(21);
  });

  test("goes on after a failed change", async () => {
    const { reef, registry } = await startRegistry({
      "a/index.ts": answering("a", "a"),
      "b/index.ts": answering("b", "b"),
    });
    reef.sandbox.services({ "a/index.ts": "throw 1;" });
    const [first, second] = await Promise.allSettled([registry.reload("a"), registry.reload("b")]);
    expect([first?.status, second?.status]).toEqual(["rejected", "fulfilled"]);
  });
});

test("list shows failed folders with step, code and reason", async () => {
  const { registry } = await startRegistry({
    "bad/index.ts": 'throw new Error("why");',
    "good/index.ts": answering("good", ""),
  });
  expect(registry.list().map(({ name, state }) => [name, state])).toEqual([
    ["good", "loaded"],
    ["bad", "failed"],
  ]);
  expect(registry.get("bad")?.failure).toMatchObject({
    step: "import",
    code: "IMPORT_FAILED",
    error: expect.stringContaining("why"),
  });
});

test("the ledger counts requests, errors and late errors of the present version", async () => {
  const { reef, registry } = await startRegistry({
    "a/index.ts": `import { Hono } from "hono";
      const routes = new Hono();
      routes.get("/", (c) => c.text("x"));
      routes.get("/throw", () => { throw new Error("x"); });
      routes.get("/later", (c) => { setTimeout(() => { throw new Error("late"); }, 0); return c.text("x"); });
      export default { name: "a", routes };`,
  });
  for (const path of ["/a", "/a/throw", "/a/later"]) await reef.call(path);
  await eventually(() => registry.get("a")?.ledger?.lateErrors === 1);
  expect(registry.get("a")?.ledger).toMatchObject({ requests: 0, served: 3, errors: 1, lateErrors: 1 });
  expect(
    registry
      .logs("a")
      .map(({ text }) => text)
      .join(),
  ).toContain("late");
  await registry.reload("a");
  expect(registry.get("a")?.ledger).toMatchObject({ served: 0, errors: 0, lateErrors: 0 });
});

test("a service can load another one from its init, also while it is itself being loaded", async () => {
  const { reef, registry } = await startRegistry();
  reef.sandbox.services({
    "helper/index.ts": answering("helper", "helping"),
    "boss/index.ts": answering("boss", "ready", 'async init(ctx) { await ctx.loadModule("helper"); }'),
  });
  expect(await registry.load("boss")).toEqual({ name: "boss", action: "added" });
  expect(await reef.text("/helper")).toBe("helping");
});
