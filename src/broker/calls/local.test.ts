import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { failure, type TestBroker, testBroker } from "../testing/fixtures.js";
import type { LocalMethod } from "./local.js";

let setup: TestBroker;
beforeEach(() => {
  setup = testBroker();
});
afterEach(() => setup.close());

const offer = (methods: Record<string, LocalMethod>) => setup.broker.registerLocal("board", "tasks", methods);
const call = (method: string, input: unknown = {}, options = {}) =>
  setup.broker.call("board", "tasks", method, input, options);

describe("a method of this process", () => {
  test("is checked on both sides", async () => {
    offer({
      double: {
        inputSchema: Type.Object({ n: Type.Number() }),
        outputSchema: Type.Number({ maximum: 10 }),
        handler: ({ n }: { n: number }) => n * 2,
      },
    });
    expect(await call("double", { n: 4 })).toBe(8);
    expect((await failure(call("double", { n: "4" }))).details.issues).toEqual([
      { path: "/n", message: "must be number" },
    ]);
    expect(await failure(call("double", { n: 40 }))).toMatchObject({
      code: "invalid_output",
      message: "the result of board/tasks/double does not match its output schema: / must be <= 10",
    });
  });

  test("takes its name from a plugin, which is no trusted code", async () => {
    const code = "export default { services: { tasks: { who: () => 'plugin' } } };";
    await setup.add({ id: "board", service: "tasks", methods: { who: {} }, code });
    const withdraw = offer({ who: { handler: () => "service" } });
    expect([await call("who"), setup.broker.hasPlugin("board")]).toEqual(["service", false]);
    const again = setup.add({ id: "board", service: "tasks", methods: { who: {} }, code });
    expect((await failure(again)).message).toContain("the name of a service module");
    withdraw();
    await setup.add({ id: "board", service: "tasks", methods: { who: {} }, code });
    expect(await call("who")).toBe("plugin");
  });

  test("may throw or reject, synchronously or later", async () => {
    offer({
      throws: {
        handler: () => {
          throw new TypeError("at once");
        },
      },
      rejects: { handler: () => Promise.reject("no error object") },
    });
    const thrown = await failure(call("throws"));
    expect([thrown.status, thrown.message, thrown.details.thrown]).toEqual([
      502,
      "board/tasks/throws failed: at once",
      "TypeError",
    ]);
    expect((await failure(call("rejects"))).message).toContain("no error object");
  });

  test("fails at once, whatever it throws", async () => {
    const unreadable = Object.create(null);
    offer({ rejects: { handler: () => Promise.reject(unreadable) } });
    expect((await failure(call("rejects", {}, { timeout: 5_000 }))).code).toBe("method_failed");
  });

  test("may take what it is told of its call apart", async () => {
    offer({
      outer: {
        handler: async (input, { call, caller, signal, remaining }) => {
          const sum = await call("board", "tasks", "inner", input);
          return { sum, caller, isAborted: signal.aborted, hasTime: remaining > 0 };
        },
      },
      inner: { handler: ({ n }) => n + 1 },
    });
    const told = { sum: 3, caller: "operator", isAborted: false, hasTime: true };
    expect(await call("outer", { n: 2 })).toEqual(told);
  });

  test("is given up at its deadline and told so", async () => {
    let aborted = false;
    offer({
      hang: {
        handler: (_input, { signal }) => {
          signal.addEventListener("abort", () => {
            aborted = true;
          });
          return new Promise(() => undefined);
        },
      },
    });
    expect((await failure(call("hang", {}, { timeout: 20 }))).code).toBe("timeout");
    expect(aborted).toBe(true);
    expect(setup.broker.wheel.size).toBe(0);
  });

  test("can be withdrawn by its caller", async () => {
    offer({ hang: { handler: () => new Promise(() => undefined) } });
    const controller = new AbortController();
    const call_ = failure(call("hang", {}, { signal: controller.signal }));
    controller.abort();
    expect((await call_).code).toBe("cancelled");
  });

  test("passes on what is left of its time", async () => {
    offer({
      outer: { handler: (_input, run) => run.call("board", "tasks", "inner", {}, { timeout: 60_000 }) },
      inner: { handler: (_input, { remaining, caller }) => ({ remaining, caller }) },
    });
    const { remaining, caller } = (await call("outer", {}, { timeout: 500 })) as {
      remaining: number;
      caller: string;
    };
    expect(remaining).toBeLessThanOrEqual(500);
    expect(caller).toBe("board");
  });

  test("that calls itself is stopped", async () => {
    offer({ again: { handler: (_input, run) => run.call("board", "tasks", "again", {}) } });
    expect((await failure(call("again"))).message).toContain("already waiting for this call");
  });

  test("is counted, with its failures by kind and its latency", async () => {
    offer({
      sometimes: {
        handler: ({ ok }: { ok: boolean }) => {
          if (!ok) throw new Error("no");
        },
      },
    });
    for (const ok of [true, true, false]) await call("sometimes", { ok }).catch(() => undefined);
    const stats = setup.broker.describe()[0]?.services[0]?.methods[0]?.stats;
    expect(stats).toMatchObject({ calls: 3, errors: { method_failed: 1 } });
    expect(stats?.latency.p99).toBeGreaterThan(0);
    expect(setup.events).toContainEqual(
      expect.objectContaining({
        type: "broker.call_failed",
        method: "board/tasks/sometimes",
        code: "method_failed",
      }),
    );
  });
});

describe("offering", () => {
  test("refuses names that cannot be called and bad schemas", () => {
    const handler = () => 1;
    expect(() => setup.broker.registerLocal("a b", "x", {})).toThrow("owner");
    expect(() => setup.broker.registerLocal("a", "1x", {})).toThrow("service");
    expect(() => offer({ __proto: { handler } })).toThrow("method");
    expect(() => offer({ go: { handler, inputSchema: { type: "nope" } } })).toThrow("/type");
  });

  test("ends without touching what took its place", async () => {
    const first = offer({ which: { handler: () => 1 } });
    offer({ which: { handler: () => 2 } });
    first();
    expect(await call("which")).toBe(2);
  });

  test("and plugins do not take each other's names", async () => {
    offer({ go: { handler: () => 1 } });
    const code = "export default { services: { main: { go: () => 1 } } }";
    expect(setup.add({ id: "board", methods: { go: {} }, code })).rejects.toThrow(
      "already the name of a service module",
    );
  });
});
