import { afterEach, describe, expect, test } from "bun:test";
import { endRegistries, reasons, startRegistry } from "../../tests/support/registry.js";
import { answering, eventually, TOKEN } from "../../tests/support/sandbox.js";
import { SlowChecker } from "../../tests/support/slow-checker.js";
import { CHANGE_EVENT } from "./registry-events.js";

afterEach(endRegistries);

describe("a services folder", () => {
  test("that does not exist, or is empty, is a server without services", async () => {
    const { reef } = await startRegistry({}, { servicesDir: "/no/such/folder" });
    expect([reef.liveModules.size, reasons(reef)]).toEqual([0, {}]);
    expect((await startRegistry({})).reef.liveModules.size).toBe(0);
  });

  test("may depend on modules that were handed over as objects", async () => {
    const { reef } = await startRegistry(
      { "a/index.ts": answering("a", "a", 'dependencies: ["obj"]') },
      { modules: [{ name: "obj" }] },
    );
    expect(await reef.text("/a")).toBe("a");
  });
});

describe("folders that are slow to check", () => {
  const services = {
    "fast/index.ts": answering("fast", "fast"),
    "slow/index.ts": answering("slow", "slow"),
    "needs-slow/index.ts": answering("needs-slow", "at last", 'dependencies: ["slow"]'),
  };

  test("do not hold up the others, and join with their dependents when they are ready", async () => {
    const checker = new SlowChecker(["slow"]);
    const { reef } = await startRegistry(services, { checker, patienceMs: 50 });
    expect(await reef.text("/fast")).toBe("fast");
    expect(reasons(reef)).toEqual({});
    expect((await reef.call("/nobody")).status).toBe(404);
    // Asked for before they are there.
    const early = Promise.all([reef.text("/slow"), reef.text("/needs-slow")]);
    checker.pass("slow");
    expect(await early).toEqual(["slow", "at last"]);
    await reef.settled;
    expect(reasons(reef)).toEqual({});
  });

  test("are imported once, announced, and kept for rollbacks", async () => {
    const shared = globalThis as unknown as { __lateImports: number };
    shared.__lateImports = 0;
    const checker = new SlowChecker(["slow"]);
    const slow = `globalThis.__lateImports++;\n${answering("slow", "slow")}`;
    const { reef, registry } = await startRegistry({ "slow/index.ts": slow }, { checker, patienceMs: 50 });
    const changes: unknown[] = [];
    reef.events.on(CHANGE_EVENT, (change) => void changes.push(change));
    checker.pass("slow");
    await reef.settled;
    expect([await reef.text("/slow"), shared.__lateImports]).toEqual(["slow", 1]);
    expect(changes).toEqual([{ name: "slow", action: "added" }]);
    expect(registry.versions("slow")).toHaveLength(1);
    expect(registry.get("slow")).toMatchObject({ generation: 1, state: "loaded" });
  });

  test("are started once when they are asked for meanwhile", async () => {
    const shared = globalThis as unknown as { __lateGate: PromiseWithResolvers<void>; __lateStarts: number };
    shared.__lateGate = Promise.withResolvers();
    shared.__lateStarts = 0;
    const slow = `await globalThis.__lateGate.promise;
      ${answering("slow", "slow", "init() { globalThis.__lateStarts++; }")}`;
    const { reef, registry } = await startRegistry({ "slow/index.ts": slow }, { patienceMs: 50 });
    const loading = registry.load("slow");
    await Bun.sleep(10);
    shared.__lateGate.resolve();
    expect(await loading).toEqual({ name: "slow", action: "added" });
    await reef.settled;
    expect([await reef.text("/slow"), shared.__lateStarts]).toEqual(["slow", 1]);
    expect(registry.get("slow")).toMatchObject({ generation: 1 });
  });

  test("are told apart when they have one name: one serves, nothing of the other is left", async () => {
    const shared = globalThis as unknown as { __twins: string[] };
    shared.__twins = [];
    const twin = (by: string) =>
      answering(
        "twin",
        by,
        `async init() { globalThis.__twins.push("init"); await Bun.sleep(5); },
        dispose() { globalThis.__twins.push("dispose"); },`,
      );
    const checker = new SlowChecker(["aaa", "zzz"]);
    const twins = { "aaa/index.ts": twin("aaa"), "zzz/index.ts": twin("zzz") };
    const { reef } = await startRegistry(twins, { checker, patienceMs: 50 });
    for (const name of ["aaa", "zzz"]) checker.pass(name, { name: "twin", hasInit: true });
    await reef.settled;
    const [served] = [await reef.text("/twin")];
    expect(reasons(reef)).toEqual({ [served === "aaa" ? "zzz" : "aaa"]: "DUPLICATE_NAME" });
    await endRegistries();
    expect(shared.__twins).toEqual(["init", "dispose"]);
  });

  test("keep requests for those of them that need others waiting until these have come", async () => {
    const checker = new SlowChecker(["slow", "needs-slow"]);
    const { reef } = await startRegistry(services, { checker, patienceMs: 50 });
    checker.pass("needs-slow");
    await Bun.sleep(20);
    const early = reef.text("/needs-slow");
    await Bun.sleep(20);
    checker.pass("slow");
    expect(await early).toBe("at last");
    await reef.settled;
    expect(reasons(reef)).toEqual({});
  });

  test("are reported when they fail, and are not tried a second time", async () => {
    const checker = new SlowChecker(["slow"]);
    const { reef } = await startRegistry(
      { ...services, "broken/index.ts": "throw 1;" },
      { checker, patienceMs: 50 },
    );
    const early = reef.call("/slow");
    checker.fail("slow");
    expect((await early).status).toBe(404);
    await reef.settled;
    expect(reasons(reef)).toMatchObject({ slow: "UNREADABLE", "needs-slow": "MISSING_DEPENDENCY" });
    expect(checker.asked.filter((name) => name === "slow")).toHaveLength(1);
    expect(checker.asked.filter((name) => name === "broken")).toHaveLength(1);
  });

  test("may be mounted at the root: what nobody answers waits for them, when it comes from outside", async () => {
    const checker = new SlowChecker(["slow", "web"]);
    const web = answering("web", "from the root", "mountAtRoot: true");
    const { reef } = await startRegistry({ ...services, "web/index.ts": web }, { checker, patienceMs: 50 });
    const outside = { requestIP: () => null, pendingRequests: 0 } as unknown as Bun.Server<undefined>;
    const ask = async (path: string) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const reply = await reef.app.fetch(new Request(`http://h${path}`, { headers }), outside);
      return [reply.status, await reply.text()];
    };
    const early = ask("/");
    const nobody = ask("/no/body");
    expect((await reef.call("/")).status).toBe(404);
    checker.pass("slow");
    expect(await ask("/slow")).toEqual([200, "slow"]);
    checker.pass("web");
    expect(await early).toEqual([200, "from the root"]);
    await reef.settled;
    expect(await nobody).toEqual([404, '{"error":"unknown service"}']);
  });

  test("a change asked for meanwhile does not wait for them", async () => {
    const checker = new SlowChecker(["slow"]);
    const { reef } = await startRegistry(services, { checker, patienceMs: 50 });
    expect(await reef.ctx.registry.reload("fast")).toEqual({ name: "fast", action: "updated" });
    checker.fail("slow");
    await reef.settled;
  });
});

describe("services that are slow to start", () => {
  const held = globalThis as unknown as {
    __go: PromiseWithResolvers<void>;
    __life: string[];
    __asked: boolean;
  };
  const slow = `import { Hono } from "hono";
    const routes = new Hono();
    routes.get("/", (c) => c.text("slow"));
    export default { name: "slow-one", routes,
      async init() { globalThis.__life.push("init"); await globalThis.__go.promise; },
      dispose() { globalThis.__life.push("dispose"); } };`;
  const services = {
    "slow/index.ts": slow,
    "needs/index.ts": answering("needs", "needs", 'dependencies: ["slow-one"]'),
    "fast/index.ts": answering("fast", "one"),
  };
  const startSlow = () => {
    held.__go = Promise.withResolvers();
    held.__life = [];
    return startRegistry(services, { patienceMs: 50 });
  };

  test("are started once when the folders are gone through meanwhile, and others take up their edits", async () => {
    const { reef } = await startSlow();
    reef.sandbox.services({ "fast/index.ts": answering("fast", "two") });
    const sync = reef.ctx.registry.sync();
    await eventually(async () => (await reef.text("/fast")) === "two", "the edit");
    held.__go.resolve();
    expect(await sync).toEqual({ results: [{ name: "fast", action: "updated" }], errors: [] });
    expect([await reef.text("/slow-one"), await reef.text("/needs")]).toEqual(["slow", "needs"]);
    expect(held.__life).toEqual(["init"]);
    expect(reasons(reef)).toEqual({});
  });

  test("take up what was saved after they were imported", async () => {
    const { reef } = await startSlow();
    reef.sandbox.services({ "slow/index.ts": slow.replace('text("slow")', 'text("edited")') });
    const sync = reef.ctx.registry.sync();
    held.__go.resolve();
    expect(await sync).toEqual({ results: [{ name: "slow-one", action: "updated" }], errors: [] });
    expect(await reef.text("/slow-one")).toBe("edited");
  });

  test.each(["slow-one", "needs"])("are reloaded when they have started: %s", async (name) => {
    const { reef } = await startSlow();
    const reload = reef.ctx.registry.reload(name);
    held.__go.resolve();
    expect(await reload).toEqual({ name, action: "updated" });
    await reef.settled;
    expect(reasons(reef)).toEqual({});
    expect(await reef.text(`/${name}`)).toBe(name === "needs" ? "needs" : "slow");
    const begun = held.__life.filter((what) => what === "init").length;
    await eventually(() => held.__life.filter((what) => what === "dispose").length === begun - 1);
  });

  /** `slow`, whose init asks for another service before it returns. */
  const asking = (name: string) =>
    slow.replace("async init() {", "async init(ctx) {").replace(
      "await globalThis.__go.promise;",
      `await globalThis.__go.promise;
       const asked = ctx.dispatch(new Request("http://reef/${name}"), { trusted: true });
       globalThis.__asked = true;
       globalThis.__life.push((await asked).status);`,
    );

  test.each([
    ["itself", "slow-one"],
    ["one that needs it", "needs-it"],
    ["one that needs that", "needs-that"],
    ["one that needs it and others that come late", "needs-more"],
  ])("are told that they are not there yet when the init of one asks for %s", async (_whom, name) => {
    held.__go = Promise.withResolvers();
    held.__life = [];
    const checker = new SlowChecker(["late"]);
    const { reef } = await startRegistry(
      {
        "slow/index.ts": asking(name),
        "late/index.ts": answering("late", "late"),
        "needs-it/index.ts": answering("needs-it", "slow", 'dependencies: ["slow-one"]'),
        "needs-that/index.ts": answering("needs-that", "slow", 'dependencies: ["needs-it"]'),
        "needs-more/index.ts": answering("needs-more", "slow", 'dependencies: ["slow-one", "late"]'),
      },
      { checker, patienceMs: 50 },
    );
    const early = reef.text(`/${name}`);
    held.__go.resolve();
    await eventually(() => held.__life.length === 2);
    checker.pass("late");
    await reef.settled;
    expect([held.__life, reasons(reef), await early]).toEqual([["init", 404], {}, "slow"] as never);
  });

  test("are told so, too, when what their init waits for comes and is found to need them", async () => {
    Object.assign(held, { __go: Promise.withResolvers(), __life: [], __asked: false });
    const checker = new SlowChecker(["late"]);
    const { reef } = await startRegistry(
      {
        "slow/index.ts": asking("late"),
        "late/index.ts": answering("late", "late", 'dependencies: ["slow-one"]'),
      },
      { checker, patienceMs: 50 },
    );
    const early = reef.text("/late");
    held.__go.resolve();
    await eventually(() => held.__asked, "the question");
    checker.pass("late");
    await reef.settled;
    expect([held.__life, reasons(reef), await early]).toEqual([["init", 404], {}, "late"] as never);
  });

  test("are waited for when the init of another one asks them", async () => {
    held.__go = Promise.withResolvers();
    held.__life = [];
    const asking = `export default { name: "asking", async init(ctx) {
      await Bun.sleep(100);
      globalThis.__life.push((await ctx.dispatch(new Request("http://reef/slow-one"), { trusted: true })).status);
    } };`;
    const { reef } = await startRegistry(
      { "slow/index.ts": slow, "asking/index.ts": asking },
      { patienceMs: 50 },
    );
    await Bun.sleep(100);
    held.__go.resolve();
    await reef.settled;
    expect([held.__life, reasons(reef)]).toEqual([["init", 200], {}] as never);
  });

  test("stay away when they are switched off meanwhile", async () => {
    const { reef } = await startSlow();
    const off = reef.ctx.registry.disable("slow-one", { force: true });
    held.__go.resolve();
    await off;
    await reef.settled;
    expect((await reef.call("/slow-one")).status).toBe(404);
    expect(reef.ctx.registry.get("slow-one")?.state).toBe("disabled");
    expect(held.__life).toEqual(["init", "dispose"]);
  });
});

test("a cycle is named as one, also among folders that are slow", async () => {
  const checker = new SlowChecker(["a", "b"]);
  const needing = (name: string, need: string) => answering(name, "", `dependencies: ["${need}"]`);
  const { reef } = await startRegistry(
    { "a/index.ts": needing("a", "b"), "b/index.ts": needing("b", "a"), "c/index.ts": needing("c", "a") },
    { checker, patienceMs: 50 },
  );
  checker.pass("a");
  checker.pass("b");
  await reef.settled;
  expect(reasons(reef)).toEqual({ a: "DEPENDENCY_CYCLE", b: "DEPENDENCY_CYCLE", c: "MISSING_DEPENDENCY" });
});

test("code that has served before is not checked again", async () => {
  const checker = new SlowChecker([]);
  const { reef } = await startRegistry({ "a/index.ts": answering("a", "a") }, { checker });
  expect(checker.asked).toEqual(["a"]);
  await reef.ctx.registry.reload("a");
  expect(checker.asked).toEqual(["a"]);
  reef.sandbox.services({ "a/index.ts": answering("a", "b") });
  await reef.ctx.registry.reload("a");
  expect(checker.asked).toEqual(["a", "a"]);
  await eventually(() => checker.known.size === 2);
});
