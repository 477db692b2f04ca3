import { afterEach, describe, expect, test } from "bun:test";
import { answering, eventually, type Reef, Sandbox, startReef } from "../../../tests/support/sandbox.js";
import { createServer } from "../server.js";

let open: Reef[] = [];
afterEach(async () => {
  for (const reef of open) await reef.end();
  open = [];
});

/** What the service `late` has done; `gate` is what it waits for. */
interface Late {
  did: string[];
  gate: PromiseWithResolvers<void>;
}

function late(): Late {
  const state: Late = { did: [], gate: Promise.withResolvers() };
  Object.assign(globalThis, { __shutdown: state });
  return state;
}

const starting = answering(
  "late",
  "late",
  `async init() {
    __shutdown.did.push("init");
    await __shutdown.gate.promise;
    __shutdown.did.push("inited");
  },
  dispose() { __shutdown.did.push("dispose"); },
  store: { flush() { __shutdown.did.push("flush"); }, close() { __shutdown.did.push("close"); } },`,
);

async function begin(services: Record<string, string>): Promise<Reef> {
  const reef = await startReef(services, { patienceMs: 20 });
  open.push(reef);
  return reef;
}

describe("when the server ends while a service is starting", () => {
  test("the service that is ready soon saves and goes before the end", async () => {
    const { did, gate } = late();
    const reef = await begin({ "late/index.ts": starting });
    const closing = reef.close(1000);
    gate.resolve();
    await closing;
    expect(did).toEqual(["init", "inited", "dispose", "flush", "close"]);
  });

  test("what is not ready by then is given up: its store is closed, nothing is saved, and nothing comes later", async () => {
    const { did } = late();
    const reef = await begin({
      "late/index.ts": starting.replace("__shutdown.gate.promise", "Bun.sleep(40)"),
    });
    await reef.close(0);
    expect(did).toEqual(["init", "close"]);
    await Bun.sleep(60);
    expect(did).toEqual(["init", "close"]);
  });

  test("what its init has opened is closed", async () => {
    const { did } = late();
    const reef = await begin({
      "late/index.ts": `export default { name: "late", init() {
        Bun.spawn(["sleep", "600"], { onExit: () => __shutdown.did.push("child ended") });
        setInterval(() => __shutdown.did.push("beat"), 1);
        return new Promise(() => {});
      } };`,
    });
    await eventually(() => did.includes("beat"));
    await reef.close(0);
    did.length = 0;
    await Bun.sleep(20);
    expect(did).toEqual([]);
  });

  test("a service that waits for another one's start is not begun", async () => {
    const { did, gate } = late();
    const reef = await begin({
      "late/index.ts": starting,
      "needs/index.ts": answering(
        "needs",
        "x",
        'dependencies: ["late"], init() { __shutdown.did.push("x"); },',
      ),
    });
    const closing = reef.close(1000);
    gate.resolve();
    await closing;
    expect(did).toEqual(["init", "inited", "dispose", "flush", "close"]);
  });

  test("requests that wait for it are told that the server ends", async () => {
    late();
    const reef = await begin({ "late/index.ts": starting });
    const waiting = reef.call("/late");
    await reef.close(0);
    const reply = await waiting;
    expect([reply.status, await reply.json()]).toEqual([503, { error: "the server is shutting down" }]);
  });

  test("code that is still being imported is let go of", async () => {
    const { did } = late();
    const reef = await begin({
      "late/index.ts": `setInterval(() => __shutdown.did.push("beat"), 1);
        await new Promise(() => {});`,
    });
    await eventually(() => did.includes("beat"));
    await reef.close(0);
    await reef.settled;
    did.length = 0;
    await Bun.sleep(20);
    expect(did).toEqual([]);
  });
});

test("when the server ends while a new version is starting, the old one serves to the end and saves", async () => {
  const { did } = late();
  const saves = (text: string) =>
    answering("a", text, `store: { flush() { __shutdown.did.push("${text} flush"); } },`);
  const reef = await begin({ "a/index.ts": saves("old") });
  reef.sandbox.services({
    "a/index.ts": `${saves("new").replace("store:", "init: () => new Promise(() => {}), store:")}`,
  });
  const loading = reef.ctx.registry.load("a").catch((error) => error.code);
  await eventually(() => did.includes("old flush"));
  await reef.close(0);
  expect([await loading, did.at(-1)]).toEqual(["SHUTTING_DOWN", "old flush"]);
});

test("what serves saves first, whatever is still starting or being exchanged and will not let go", async () => {
  const { did } = late();
  const never = "init: () => new Promise(() => {}), store: { close: () => new Promise(() => {}) },";
  const reef = await begin({
    "good/index.ts": answering("good", "x", "store: { flush() { __shutdown.did.push('saved'); } },"),
    "late/index.ts": answering("late", "x", never),
    "slow/index.ts": `import { Hono } from "hono";
      const routes = new Hono();
      routes.post("/", async (c) => { __shutdown.did.push("asked"); await new Promise(() => {}); return c.text(""); });
      export default { name: "slow", routes, store: { flush() {} } };`,
  });
  const asking = reef.call("/slow", { method: "POST" });
  await eventually(() => did.includes("asked"));
  const loading = reef.ctx.registry.reload("slow").catch((error) => error.code);
  await eventually(() => reef.registry.table.get("slow")?.mount.gate !== undefined);
  let isOver = false;
  const closing = reef.close(0).then(() => {
    isOver = true;
  });
  await eventually(() => did.includes("saved"));
  expect(isOver).toBe(false);
  await closing;
  expect([await loading, (await asking).status]).toEqual(["SHUTTING_DOWN", 503]);
});

test("services end before those they depend on, in whatever order they were loaded", async () => {
  const { did } = late();
  const service = (name: string, needs = "") =>
    answering(name, name, `${needs} dispose() { __shutdown.did.push("${name}"); },`);
  const reef = await begin({ "a/index.ts": service("a"), "b/index.ts": service("b") });
  reef.sandbox.services({ "a/index.ts": service("a", 'dependencies: ["b"],') });
  await reef.ctx.registry.load("a");
  await eventually(() => reef.ctx.registry.get("a")?.draining === 0);
  did.length = 0;
  await reef.close(0);
  expect(did).toEqual(["a", "b"]);
});

test("a server whose services folder cannot be read lets go of what it has started", async () => {
  const did: string[] = [];
  const module = { name: "given", store: { close: () => void did.push("closed") } };
  const sandbox = new Sandbox();
  const { dataDir } = sandbox;
  const starting = createServer({ modules: [module], servicesDir: import.meta.path, dataDir });
  await expect(starting).rejects.toThrow("ENOTDIR");
  expect(did).toEqual(["closed"]);
  sandbox.remove();
});

test.each([
  ["a service", "get dependencies() { return __moody.get([]); }"],
  ["a store", "store: { get close() { return __moody.get(undefined); } }"],
  ["a store", "store: { get flush() { return __moody.get(undefined); } }"],
])("%s whose fields come to throw keeps no other from saving: %s", async (_what, field) => {
  const state = {
    saved: false,
    throws: false,
    get(value: unknown) {
      if (state.throws) throw new Error("late");
      return value;
    },
  };
  Object.assign(globalThis, { __moody: state });
  const reef = await begin({
    "keeper/index.ts": answering("keeper", "x", "store: { flush() { __moody.saved = true; } }"),
    "moody/index.ts": `export default { name: "moody", ${field} };`,
  });
  state.throws = true;
  await reef.close(0);
  expect(state.saved).toBe(true);
});
