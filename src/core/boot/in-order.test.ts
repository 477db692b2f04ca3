import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { endRegistries, reasons, startRegistry } from "../../../tests/support/registry.js";
import { answering, eventually } from "../../../tests/support/sandbox.js";
import { SlowChecker } from "../../../tests/support/slow-checker.js";
import { LoadFailure } from "../load-failure.js";

afterEach(endRegistries);

test("services are started in the order of dependencies, not of names", async () => {
  const noting = (name: string, fields = "") =>
    `export default { name: "${name}", async init() { await Bun.sleep(1); (globalThis.__started ??= []).push("${name}"); }, ${fields} };`;
  await startRegistry({
    "a/index.ts": noting("a", 'dependencies: ["b", "c"]'),
    "b/index.ts": noting("b", 'dependencies: ["c"]'),
    "c/index.ts": noting("c"),
  });
  expect((globalThis as unknown as { __started: string[] }).__started).toEqual(["c", "b", "a"]);
});

test("nothing runs on of what was imported and cannot be started", async () => {
  const ticking = (name: string, fields: string, tick = name) => `
    globalThis.__ticks ??= new Set();
    setInterval(() => globalThis.__ticks.add("${tick}"), 1);
    export default { name: "${name}", ${fields} };`;
  const { reef } = await startRegistry({
    "bad/index.ts": ticking("bad", 'init() { throw new Error("x"); }'),
    "lacking/index.ts": ticking("lacking", 'dependencies: ["ghost"]'),
    "round/index.ts": ticking("round", 'dependencies: ["trip"]'),
    "second/index.ts": ticking("fine", "", "second"),
    "trip/index.ts": ticking("trip", 'dependencies: ["round"]'),
    "fine/index.ts": ticking("fine", ""),
    "needs-bad/index.ts": ticking("needs-bad", 'dependencies: ["bad"]'),
  });
  expect(Object.keys(reasons(reef)).toSorted()).toEqual([
    "bad",
    "lacking",
    "needs-bad",
    "round",
    "second",
    "trip",
  ]);
  const { __ticks: ticks } = globalThis as unknown as { __ticks: Set<string> };
  ticks.clear();
  await eventually(() => ticks.has("fine"));
  ticks.clear();
  await eventually(() => ticks.has("fine"));
  expect([...ticks]).toEqual(["fine"]);
});

test("an unknown init is tried with all that its service needs, dependencies first", async () => {
  const checker = new SlowChecker(["a", "b", "c", "d"]);
  checker.pass("a", { dependencies: ["named", "c"], hasInit: true });
  checker.pass("b", { name: "named", dependencies: ["c"] });
  for (const name of ["c", "d"]) checker.pass(name);
  const needing = (name: string, needs: string[], init = "") =>
    answering(name, name, `dependencies: ${JSON.stringify(needs)}, ${init}`);
  await startRegistry(
    {
      "a/index.ts": needing("a", ["named", "c"], "init() {}"),
      "b/index.ts": needing("named", ["c"]),
      "c/index.ts": needing("c", []),
      "d/index.ts": needing("d", []),
    },
    { checker },
  );
  expect(checker.started).toEqual([["c", "b", "a"]]);
});

test("an unknown init that needs nobody is tried, once, while others are still being imported", async () => {
  const checker = new SlowChecker(["a", "slow"]);
  checker.pass("a", { hasInit: true });
  const starting = startRegistry(
    { "a/index.ts": answering("a", "a", "init() {}"), "slow/index.ts": answering("slow", "slow") },
    { checker },
  );
  await eventually(() => checker.started.length > 0);
  checker.pass("slow");
  await starting;
  expect(checker.started).toEqual([["a"]]);
});

test("an init that fails while others are still being imported is reported like any other", async () => {
  const checker = new SlowChecker(["a", "slow"]);
  checker.pass("a", { hasInit: true });
  let wasTried = false;
  checker.start = async () => {
    wasTried = true;
    throw new LoadFailure("INIT_FAILED", "init", "init() failed: no");
  };
  const starting = startRegistry(
    { "a/index.ts": answering("a", "a", "init() {}"), "slow/index.ts": answering("slow", "slow") },
    { checker },
  );
  await eventually(() => wasTried);
  checker.pass("slow");
  const { reef } = await starting;
  expect(reasons(reef)).toEqual({ a: "INIT_FAILED" });
});

test("of two folders with one name the one called like it wins, whatever the order", async () => {
  const { reef } = await startRegistry({
    "aaa/index.ts": answering("mine", "aaa"),
    "mine/index.ts": answering("mine", "mine"),
    "zzz/index.ts": answering("mine", "zzz"),
  });
  expect(await reef.text("/mine")).toBe("mine");
  expect(reasons(reef)).toEqual({ aaa: "DUPLICATE_NAME", zzz: "DUPLICATE_NAME" });
});

test("a failing init takes its dependents with it and nobody else", async () => {
  const { reef } = await startRegistry({
    "bad/index.ts": 'export default { name: "bad", init() { throw new Error("x"); } };',
    "needs/index.ts": answering("needs", "", 'dependencies: ["bad"]'),
    "needs-that/index.ts": answering("needs-that", "", 'dependencies: ["needs"]'),
    "free/index.ts": answering("free", "free"),
  });
  expect(await reef.text("/free")).toBe("free");
  expect(reasons(reef)).toEqual({
    bad: "INIT_FAILED",
    needs: "MISSING_DEPENDENCY",
    "needs-that": "MISSING_DEPENDENCY",
  });
});
describe("a service whose start is slow", () => {
  const slow = (text: string) =>
    answering(
      "slow",
      text,
      `async init(ctx) {
        globalThis.__starts = (globalThis.__starts ?? 0) + 1;
        ctx.events.on("ping", () => { globalThis.__heard = (globalThis.__heard ?? 0) + 1; });
        await globalThis.__startGate?.promise;
      }`,
    );
  const shared = globalThis as unknown as {
    __starts?: number;
    __heard?: number;
    __startGate?: PromiseWithResolvers<void>;
  };
  beforeEach(() => {
    shared.__starts = 0;
    shared.__heard = 0;
    shared.__startGate = Promise.withResolvers();
  });
  afterEach(() => {
    shared.__startGate = undefined;
  });

  test("is there once, whoever asks for it meanwhile", async () => {
    const { reef } = await startRegistry({ "slow/index.ts": slow("slow") }, { patienceMs: 20 });
    expect(shared.__starts).toBe(1);
    const changes = [reef.ctx.registry.load("slow"), reef.ctx.registry.sync()];
    await Bun.sleep(20);
    expect(shared.__starts).toBe(1);
    shared.__startGate?.resolve();
    expect(await changes[0]).toEqual({ name: "slow", action: "updated" });
    await Promise.all([...changes, reef.settled]);
    await reef.events.emit("ping", 0);
    expect(shared.__heard).toBe(1);
    expect(reasons(reef)).toEqual({});
    expect(await reef.text("/slow")).toBe("slow");
  });

  test("is let go of when the server ends meanwhile, and nothing is loaded after that", async () => {
    const { reef } = await startRegistry({ "slow/index.ts": slow("slow") }, { patienceMs: 20 });
    await reef.close(0);
    shared.__startGate?.resolve();
    await reef.settled;
    await reef.events.emit("ping", 0);
    expect([reef.liveModules.size, shared.__heard]).toEqual([0, 0]);
    await expect(reef.ctx.registry.load("slow")).rejects.toThrow("shutting down");
    expect(shared.__starts).toBe(1);
  });

  test("does not come when it is switched off meanwhile", async () => {
    const { reef } = await startRegistry({ "slow/index.ts": slow("slow") }, { patienceMs: 20 });
    const off = reef.ctx.registry.disable("slow");
    shared.__startGate?.resolve();
    await Promise.all([off, reef.settled]);
    expect(reef.ctx.registry.get("slow")).toMatchObject({ state: "disabled" });
    expect((await reef.call("/slow")).status).toBe(404);
  });
});
