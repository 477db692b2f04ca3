import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  answering,
  eventually,
  type Files,
  type Reef,
  startReef,
  TOKEN,
} from "../../tests/support/sandbox.js";
import type { Checker, ModuleFacts } from "./checker.js";

const open: Reef[] = [];
afterEach(async () => {
  for (const reef of open.splice(0)) await reef.end();
});
async function start(services: Files, options: Parameters<typeof startReef>[1] = {}): Promise<Reef> {
  const reef = await startReef(services, options);
  open.push(reef);
  return reef;
}
const reasons = (reef: Reef) =>
  Object.fromEntries(reef.registry.failures.list().map(({ name, code }) => [name, code]));

/** Answers checks as told; a folder without an answer waits for `answer`. */
class SlowChecker implements Checker {
  readonly asked: string[] = [];
  readonly known = new Set<string>();
  readonly #waiting = new Map<string, PromiseWithResolvers<ModuleFacts>>();
  constructor(readonly slow: string[]) {
    for (const name of slow) this.#waiting.set(name, Promise.withResolvers());
  }
  knows = (digest: string) => this.known.has(digest);
  remember = (digest: string) => void this.known.add(digest);
  import(dirName: string): Promise<ModuleFacts> {
    this.asked.push(dirName);
    const facts = { name: dirName, dependencies: [], hasInit: false };
    return this.#waiting.get(dirName)?.promise ?? Promise.resolve(facts);
  }
  start = async () => undefined;
  close = async () => undefined;
  pass = (dirName: string, name = dirName) =>
    this.#waiting.get(dirName)?.resolve({ name, dependencies: [], hasInit: false });
  fail = (dirName: string) => this.#waiting.get(dirName)?.reject(new Error("gave up"));
}

describe("a services folder", () => {
  test("that does not exist, or is empty, is a server without services", async () => {
    const reef = await start({}, { servicesDir: "/no/such/folder" });
    expect([reef.liveModules.size, reasons(reef)]).toEqual([0, {}]);
    expect((await start({})).liveModules.size).toBe(0);
  });

  test("is started in the order of dependencies, not of names", async () => {
    const noting = (name: string, fields = "") =>
      `export default { name: "${name}", async init() { await Bun.sleep(1); (globalThis.__started ??= []).push("${name}"); }, ${fields} };`;
    await start({
      "a/index.ts": noting("a", 'dependencies: ["b", "c"]'),
      "b/index.ts": noting("b", 'dependencies: ["c"]'),
      "c/index.ts": noting("c"),
    });
    expect((globalThis as unknown as { __started: string[] }).__started).toEqual(["c", "b", "a"]);
  });

  test("may depend on modules that were handed over as objects", async () => {
    const reef = await start(
      { "a/index.ts": answering("a", "a", 'dependencies: ["obj"]') },
      { modules: [{ name: "obj" }] },
    );
    expect(await reef.text("/a")).toBe("a");
  });

  test("of two folders with one name the one called like it wins, whatever the order", async () => {
    const reef = await start({
      "aaa/index.ts": answering("mine", "aaa"),
      "mine/index.ts": answering("mine", "mine"),
      "zzz/index.ts": answering("mine", "zzz"),
    });
    expect(await reef.text("/mine")).toBe("mine");
    expect(reasons(reef)).toEqual({ aaa: "DUPLICATE_NAME", zzz: "DUPLICATE_NAME" });
  });

  test("a failing init takes its dependents with it and nobody else", async () => {
    const reef = await start({
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
});

describe("folders that are slow to check", () => {
  const services = {
    "fast/index.ts": answering("fast", "fast"),
    "slow/index.ts": answering("slow", "slow"),
    "needs-slow/index.ts": answering("needs-slow", "at last", 'dependencies: ["slow"]'),
  };

  test("do not hold up the others, and join with their dependents when they are ready", async () => {
    const checker = new SlowChecker(["slow"]);
    const reef = await start(services, { checker, patienceMs: 50 });
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

  test("are reported when they fail, and are not tried a second time", async () => {
    const checker = new SlowChecker(["slow"]);
    const reef = await start({ ...services, "broken/index.ts": "throw 1;" }, { checker, patienceMs: 50 });
    const early = reef.call("/slow");
    checker.fail("slow");
    expect((await early).status).toBe(404);
    await reef.settled;
    expect(reasons(reef)).toMatchObject({ slow: "UNREADABLE", "needs-slow": "MISSING_DEPENDENCY" });
    expect(checker.asked.filter((name) => name === "slow")).toHaveLength(1);
    expect(checker.asked.filter((name) => name === "broken")).toHaveLength(1);
  });

  test.each([
    ["in time", ["mine"]],
    ["slow as well", ["mine", "impostor"]],
  ])("keep the name that is theirs, when another folder that claims it is %s", async (_what, slow) => {
    const checker = new SlowChecker(slow);
    const reef = await start(
      { "impostor/index.ts": answering("mine", "impostor"), "mine/index.ts": answering("mine", "mine") },
      { checker, patienceMs: 50 },
    );
    const early = reef.text("/mine");
    checker.pass("impostor", "mine");
    await Bun.sleep(5);
    checker.pass("mine");
    await reef.settled;
    expect([await early, await reef.text("/mine")]).toEqual(["mine", "mine"]);
    expect(reasons(reef)).toEqual({ impostor: "DUPLICATE_NAME" });
  });

  test("leave the name to whoever claims it when they fail", async () => {
    const checker = new SlowChecker(["mine"]);
    const reef = await start(
      { "impostor/index.ts": answering("mine", "heir"), "mine/index.ts": answering("mine", "mine") },
      { checker, patienceMs: 50 },
    );
    checker.fail("mine");
    await reef.settled;
    expect(await reef.text("/mine")).toBe("heir");
  });

  test("do not wait for each other for ever when each has the other's name", async () => {
    const checker = new SlowChecker(["a", "b"]);
    const reef = await start(
      { "a/index.ts": answering("b", "from a"), "b/index.ts": answering("a", "from b") },
      { checker, patienceMs: 50 },
    );
    checker.pass("a", "b");
    checker.pass("b", "a");
    await reef.settled;
    expect([await reef.text("/a"), await reef.text("/b")]).toEqual(["from b", "from a"]);
  });

  test("may be mounted at the root: what nobody answers waits for them, when it comes from outside", async () => {
    const checker = new SlowChecker(["slow", "web"]);
    const web = answering("web", "from the root", "mountAtRoot: true");
    const reef = await start({ ...services, "web/index.ts": web }, { checker, patienceMs: 50 });
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
    const reef = await start(services, { checker, patienceMs: 50 });
    expect(await reef.ctx.registry.reload("fast")).toEqual({ name: "fast", action: "updated" });
    checker.fail("slow");
    await reef.settled;
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
    const reef = await start({ "slow/index.ts": slow("slow") }, { patienceMs: 20 });
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

  test("does not come when it is switched off meanwhile", async () => {
    const reef = await start({ "slow/index.ts": slow("slow") }, { patienceMs: 20 });
    const off = reef.ctx.registry.disable("slow");
    shared.__startGate?.resolve();
    await Promise.all([off, reef.settled]);
    expect(reef.ctx.registry.get("slow")).toMatchObject({ state: "disabled" });
    expect((await reef.call("/slow")).status).toBe(404);
  });
});

test("a cycle is named as one, also among folders that are slow", async () => {
  const checker = new SlowChecker(["a", "b"]);
  const needing = (name: string, need: string) => answering(name, "", `dependencies: ["${need}"]`);
  const reef = await start(
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
  const reef = await start({ "a/index.ts": answering("a", "a") }, { checker });
  expect(checker.asked).toEqual(["a"]);
  await reef.ctx.registry.reload("a");
  expect(checker.asked).toEqual(["a"]);
  reef.sandbox.services({ "a/index.ts": answering("a", "b") });
  await reef.ctx.registry.reload("a");
  expect(checker.asked).toEqual(["a", "a"]);
  await eventually(() => checker.known.size === 2);
});
