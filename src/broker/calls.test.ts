import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failure, testBroker, writePlugin } from "./testing/fixtures.js";

const number = { type: "number" };
const pair = { type: "object", properties: { a: number, b: number }, required: ["a", "b"] };

const setup = testBroker({ maxInFlight: 4, maxQueue: 3, restartDelay: 1, maxDepth: 5 });
const { broker } = setup;

beforeAll(async () => {
  await setup.add({
    id: "com.example.math-plugin",
    key: "kunkun",
    service: "math",
    methods: {
      add: {
        inputSchema: pair,
        outputSchema: { type: "object", properties: { result: number }, required: ["result"] },
      },
      wrong: { outputSchema: { type: "object", required: ["result"] } },
      slow: {},
      left: {},
    },
    code: `import { currentCall } from "@kunkunsh/api/runtime";
      export default { services: { math: {
        async add({ a, b }) { return { result: a + b }; },
        async wrong() { return { other: 1 }; },
        async slow({ ms }) { await Bun.sleep(ms); return "done"; },
        async left() { return Math.round(currentCall().remaining); },
        async hidden() { return 1; },
      } } };`,
  });
  await setup.add({
    id: "caller",
    permissions: [
      { permission: "service:call", allow: ["com.example.math-plugin", "caller/main/*", "board"] },
      "storage",
    ],
    methods: {
      object: {},
      positional: {},
      tooMany: {},
      error: {},
      left: {},
      cycle: {},
      deep: {},
      watch: {},
      waits: {},
      store: {},
      board: {},
      forbidden: {},
      long: {},
    },
    code: `import { services, createServiceClient, currentCall, storage } from "@kunkunsh/api";
      import { appendFileSync } from "node:fs";
      const math = createServiceClient("com.example.math-plugin", "math");
      let aborted = false;
      export default { services: { main: {
        object: () => services.call("com.example.math-plugin", "math", "add", { a: 5, b: 3 }),
        positional: async () => [await math.add(5, 3), await math.add({ a: 1, b: 1 })],
        tooMany: () => math.add(1, 2, 3),
        async error() {
          try { await math.add("x"); } catch (e) { return { code: e.code, status: e.status, paths: e.details.issues.map((i) => i.path) }; }
        },
        left: () => math.left(),
        cycle: () => services.call("caller", "main", "cycle", {}),
        deep: ({ n }) => services.call("board", "ladder", "climb", { n }),
        async watch() { currentCall().signal.addEventListener("abort", () => { aborted = true; }); await math.slow({ ms: 60000 }); },
        waits: () => aborted,
        async store() { await storage.set("k", { v: 1 }); return [await storage.get("k"), await storage.keys()]; },
        board: () => services.call("board", "notes", "whoami", {}),
        long: ({ at }) => services.call(...["math", "math", "math"].map((name, n) => n === at ? "x".repeat(600) : name)),
        forbidden: () => services.call("elsewhere", "main", "x", {}),
      } } };`,
  });
});
afterAll(setup.close);

const add = (input: unknown) => broker.call("com.example.math-plugin", "math", "add", input);

describe("a call", () => {
  test("answers with what the method returns", async () => {
    expect(await add({ a: 5, b: 3 })).toEqual({ result: 8 });
  });

  test("with bad input names each place", async () => {
    const error = await failure(add({ a: "five" }));
    expect([error.code, error.status]).toEqual(["invalid_input", 400]);
    expect(error.details.issues?.map(({ path }) => path).sort()).toEqual(["", "/a"]);
  });

  test("with bad output is the method's fault", async () => {
    const error = await failure(broker.call("com.example.math-plugin", "math", "wrong"));
    expect([error.code, error.status]).toEqual(["invalid_output", 502]);
    expect(error.details.issues).toHaveLength(1);
  });

  for (const [plugin, service, method] of [
    ["nobody", "math", "add"],
    ["com.example.math-plugin", "physics", "add"],
    ["com.example.math-plugin", "math", "hidden"],
    ["com.example.math-plugin", "math", "constructor"],
    ["com.example.math-plugin", "__proto__", "add"],
  ] as const) {
    test(`of ${plugin}/${service}/${method} finds nothing`, async () => {
      expect((await failure(broker.call(plugin, service, method))).status).toBe(404);
    });
  }

  for (const timeout of [0, -1, Number.NaN, 600_001, "5" as never]) {
    test(`refuses the timeout ${timeout}`, async () => {
      const call = broker.call("com.example.math-plugin", "math", "add", { a: 1, b: 1 }, { timeout });
      expect((await failure(call)).code).toBe("invalid_input");
    });
  }

  test("past its time fails with 504", async () => {
    const call = broker.call("com.example.math-plugin", "math", "slow", { ms: 60_000 }, { timeout: 50 });
    expect((await failure(call)).status).toBe(504);
  });

  test("can be withdrawn, before and while it runs", async () => {
    const options = { signal: AbortSignal.abort() };
    expect(
      (await failure(broker.call("com.example.math-plugin", "math", "add", { a: 1, b: 1 }, options))).code,
    ).toBe("cancelled");
    const controller = new AbortController();
    const call = failure(
      broker.call("com.example.math-plugin", "math", "slow", { ms: 60_000 }, { signal: controller.signal }),
    );
    await add({ a: 1, b: 1 });
    controller.abort();
    expect((await call).code).toBe("cancelled");
  });

  test("is one of several in flight; beyond the queue it is turned away with 429", async () => {
    await add({ a: 1, b: 1 });
    const slow = () => broker.call("com.example.math-plugin", "math", "slow", { ms: 200 });
    const results = await Promise.allSettled(Array.from({ length: 9 }, slow));
    const refused = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason.status as number] : [],
    );
    expect(refused).toEqual([429, 429]);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(7);
  });
});

describe("a call from a plugin", () => {
  const caller = (method: string, input: unknown = {}, options = {}) =>
    broker.call("caller", "main", method, input, options);

  test("works with an object, with positions and with both", async () => {
    expect(await caller("object")).toEqual({ result: 8 });
    expect(await caller("positional")).toEqual([{ result: 8 }, { result: 2 }]);
  });

  test("with too many positions fails", async () => {
    expect((await failure(caller("tooMany"))).message).toContain(
      "got 3 arguments, but the method takes 2 (a, b)",
    );
  });

  test("fails with a typed error that the plugin can read", async () => {
    expect(await caller("error")).toEqual({ code: "invalid_input", status: 400, paths: ["", "/a"] });
  });

  test("has no more time than its caller", async () => {
    const left = (await caller("left", {}, { timeout: 2_000 })) as number;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(2_000);
    expect((await caller("left")) as number).toBeGreaterThan(2_000);
  });

  test("into a method that waits for it is stopped", async () => {
    const error = await failure(caller("cycle"));
    expect(error.status).toBe(502);
    expect(error.message).toContain("caller/main/cycle is already waiting for this call");
  });

  test("is withdrawn when its caller's time is over, on both levels", async () => {
    expect((await failure(caller("watch", {}, { timeout: 300 }))).code).toBe("timeout");
    expect(await caller("waits")).toBe(true);
    const inFlight = broker.workers().filter(({ service }) => service === "com.example.math-plugin/math");
    expect(inFlight.every((worker) => worker.inFlight === 0)).toBe(true);
  });

  test.each([0, 1, 2])(
    "of a name that is too long to be one is refused before any rule is looked at (%d)",
    async (at) => {
      const { code, message } = await failure(caller("long", { at }));
      expect([code, message]).toEqual(["method_failed", expect.stringContaining("at most 512 characters")]);
    },
  );

  test("needs the permission to call, and the denial says who lacks it", async () => {
    const error = await failure(caller("forbidden"));
    expect(error.message).toContain("service:call of elsewhere/main/x is denied: caller allows only");
    const denied = setup.events.find(
      (event) => event.type === "broker.call_failed" && event.code === "permission_denied",
    );
    expect(denied).toBeDefined();
  });

  test("reaches methods of this process, in the caller's name", async () => {
    const remove = broker.registerLocal("board", "notes", {
      whoami: { handler: (_input, call) => call.caller },
    });
    expect(await caller("board")).toBe("caller");
    remove();
    expect((await failure(caller("board"))).message).toContain("there is no plugin");
  });

  test("is stopped when it goes too deep", async () => {
    const remove = broker.registerLocal("board", "ladder", {
      climb: {
        handler: ({ n }: { n: number }, call) =>
          n === 0 ? "top" : call.call("board", `step${n}`, "go", { n: n - 1 }),
      },
    });
    const steps = [1, 2, 3, 4, 5].map((n) =>
      broker.registerLocal("board", `step${n}`, {
        go: {
          handler: (input: { n: number }, call) =>
            input.n === 0 ? "top" : call.call("board", `step${input.n}`, "go", { n: input.n - 1 }),
        },
      }),
    );
    expect(await caller("deep", { n: 2 })).toBe("top");
    expect((await failure(caller("deep", { n: 5 }))).message).toContain("more than 5 methods deep");
    for (const take of [remove, ...steps]) take();
  });

  test("for storage fails clearly where the broker has none", async () => {
    expect((await failure(caller("store"))).message).toContain("no storage for plugins");
  });
});

describe("a reload", () => {
  test("lets running calls finish on the old code and takes new ones to the new", async () => {
    const fixture = (version: number) => ({
      id: "versioned",
      methods: { which: {} },
      code: `export default { services: { main: { async which({ ms }) { await Bun.sleep(ms ?? 0); return ${version}; } } },
        onDestroy() { console.log("ended ${version}") } };`,
    });
    await setup.add(fixture(1));
    expect(await broker.call("versioned", "main", "which", {})).toBe(1);
    const running = broker.call("versioned", "main", "which", { ms: 300 });
    await setup.add(fixture(2));
    expect(await broker.call("versioned", "main", "which", {})).toBe(2);
    expect(await running).toBe(1);
    while (!setup.logs.some(({ line }) => line === "ended 1")) await Bun.sleep(10);
  });

  test("takes waiting calls along", async () => {
    const folder = writePlugin(setup.folder, {
      id: "late",
      methods: { go: {} },
      code: "export default { services: { main: { go: () => 1 } }, onInit: () => Bun.sleep(30_000) };",
    });
    await broker.load(folder);
    const waiting = broker.call("late", "main", "go", {}, { timeout: 10_000 });
    writeFileSync(join(folder, "main.ts"), "export default { services: { main: { go: () => 2 } } };");
    await broker.load(folder);
    expect(await waiting).toBe(2);
  });

  test("to nothing makes the methods unknown", async () => {
    await setup.add({
      id: "gone",
      methods: { go: {} },
      code: "export default { services: { main: { go: () => 1 } } };",
    });
    expect(await broker.call("gone", "main", "go", {})).toBe(1);
    expect(broker.unload("gone")).toBe(true);
    expect((await failure(broker.call("gone", "main", "go", {}))).status).toBe(404);
    expect(broker.unload("gone")).toBe(false);
  });
});

test("an idle worker is ended and started again when needed", async () => {
  const idle = testBroker({ idleTimeout: 50, memoryInterval: 10 });
  const code =
    "export default { services: { main: { pid: () => process.pid } }, onDestroy() { console.log('bye'); } };";
  await idle.add({ id: "idle", methods: { pid: {} }, code });
  const first = (await idle.broker.call("idle", "main", "pid", {})) as number;
  while (existsSync(`/proc/${first}`)) await Bun.sleep(10);
  expect(idle.logs.map(({ line }) => line)).toContain("bye");
  expect(await idle.broker.call("idle", "main", "pid", {})).not.toBe(first);
  await idle.close();
});

test("a full pool makes room by ending an idle worker, and waits while all are busy", async () => {
  const full = testBroker({ maxWorkers: 1 });
  const code =
    "export default { services: { main: { async go({ ms }) { await Bun.sleep(ms); return ms; } } } };";
  for (const id of ["one", "two"]) await full.add({ id, methods: { go: {} }, code });
  const call = (id: string, ms: number) => full.broker.call<number>(id, "main", "go", { ms });
  expect(await Promise.all([call("one", 200), call("two", 1), call("one", 100)])).toEqual([200, 1, 100]);
  await full.close();
});

test("onDestroy that never ends is cut off", async () => {
  const stubborn = testBroker({ destroyTimeout: 100, terminateTimeout: 1_500 });
  const bodies = { waits: "new Promise(() => {})", loops: "(() => { for (;;) ; })()" };
  const pids: number[] = [];
  for (const [id, body] of Object.entries(bodies)) {
    const code = `export default { services: { main: { pid: () => process.pid } }, onDestroy: () => ${body} };`;
    await stubborn.add({ id, methods: { pid: {} }, code });
    pids.push((await stubborn.broker.call(id, "main", "pid", {})) as number);
  }
  await stubborn.close();
  expect(pids.some((pid) => existsSync(`/proc/${pid}`))).toBe(false);
  expect(stubborn.logs.some(({ line }) => line.includes("onDestroy did not finish within 100 ms"))).toBe(
    true,
  );
});
