import { afterEach, describe, expect, test } from "bun:test";
import {
  answering,
  eventually,
  type Files,
  type Reef,
  startReef,
  TOKEN,
} from "../../../tests/support/sandbox.js";
import type { ServiceContext } from "../types.js";

const open: Reef[] = [];
afterEach(async () => {
  for (const reef of open.splice(0)) await reef.end();
});

/** A service that hands its context to the test. */
const OBSERVER = 'export default { name: "observer", init(ctx) { globalThis.__observer = ctx; } };';
async function start(services: Files = {}): Promise<{ reef: Reef; ctx: ServiceContext }> {
  const reef = await startReef({ "observer/index.ts": OBSERVER, ...services });
  open.push(reef);
  return { reef, ctx: (globalThis as unknown as { __observer: ServiceContext }).__observer };
}

test("a context says who and where the service is", async () => {
  const { reef, ctx } = await start({ "a/index.ts": answering("a", "a") });
  expect([ctx.name, ctx.servicesDir, ctx.dataDir]).toEqual([
    "observer",
    reef.sandbox.servicesDir,
    reef.sandbox.dataDir,
  ]);
  expect(
    ctx
      .getModules()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(["a", "observer"]);
  expect(ctx.getModule("a")?.name).toBe("a");
  expect([ctx.getModule("ghost"), ctx.getStore("ghost"), ctx.getStore("a")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  ctx.log.warn("from its context");
  expect(reef.lines.at(-1)).toMatchObject({ service: "observer", level: "warn", text: "from its context" });
});

test("loadModule and unloadModule change what is served", async () => {
  const { reef, ctx } = await start();
  reef.sandbox.services({ "late/index.ts": answering("late", "late") });
  expect(await ctx.loadModule("late")).toEqual({ name: "late", action: "added" });
  expect(await reef.text("/late")).toBe("late");
  expect(await ctx.loadModule("late")).toEqual({ name: "late", action: "updated" });
  await ctx.unloadModule("late");
  expect((await reef.call("/late")).status).toBe(404);
  reef.sandbox.services({
    "bad/index.ts": 'export default { name: "bad", init() { throw new Error("why"); } };',
  });
  expect(ctx.loadModule("bad")).rejects.toThrow('Module "bad" init() failed: why');
  expect(ctx.getModule("bad")).toBeUndefined();
});

test.each(["/a", new URL("http://reef/a"), undefined])(
  "dispatch says what it takes when it is given %p",
  async (given) => {
    const { ctx } = await start();
    await expect(ctx.dispatch(given as never)).rejects.toThrow(
      'ctx.dispatch requires a Request, such as new Request("http://localhost/board")',
    );
  },
);

test("dispatch asks other services inside the process, with the same locks as from outside", async () => {
  const { ctx } = await start({ "a/index.ts": answering("a", "a") });
  const ask = (headers: Record<string, string>) => ctx.dispatch(new Request("http://reef/a", { headers }));
  expect((await ask({})).status).toBe(401);
  expect(await (await ask({ authorization: `Bearer ${TOKEN}` })).text()).toBe("a");
});

describe("the handle of another service's store", () => {
  const STORE = (version: string) => `
    class Store {
      #items = ["${version}"];
      label = "${version}";
      add(item) { this.#items.push(item); return this.#items.length; }
      get items() { return this.#items; }
      async slow() { await Bun.sleep(1); return "slow ${version}"; }
      tick() { setInterval(() => { (globalThis.__ticks ??= []).push("${version}"); }, 1); }
      fail() { setTimeout(() => { throw new Error("late in the store"); }, 0); throw new Error("no"); }
    }
    export default { name: "a", store: new Store() };`;
  interface Store {
    label: string;
    items: string[];
    add(item: string): number;
    slow(): Promise<string>;
    tick(): void;
    fail(): void;
  }

  test("leads to the present version, whenever it was taken", async () => {
    const { reef, ctx } = await start({ "a/index.ts": STORE("one") });
    const store = ctx.getStore<Store>("a") as Store;
    expect([store.add("x"), store.items, store.label, await store.slow()]).toEqual([
      2,
      ["one", "x"],
      "one",
      "slow one",
    ]);
    const { add } = store;
    reef.sandbox.services({ "a/index.ts": STORE("two") });
    await ctx.loadModule("a");
    expect([store.items, store.label, add("y"), store.items]).toEqual([["two", "y"], "two", 2, ["two", "y"]]);
    store.label = "set";
    expect([store.label, "label" in store, "nothing" in store]).toEqual(["set", true, false]);
  });

  test("runs in the owner's context: what it opens goes with the owner, its late errors are the owner's", async () => {
    const { reef, ctx } = await start({ "a/index.ts": STORE("one") });
    const ticks: string[] = [];
    (globalThis as unknown as { __ticks: string[] }).__ticks = ticks;
    const store = ctx.getStore<Store>("a") as Store;
    expect(() => store.fail()).toThrow("no");
    await eventually(() => ctx.registry.get("a")?.ledger?.lateErrors === 1);
    expect(ctx.registry.get("observer")?.ledger?.lateErrors).toBe(0);
    store.tick();
    await reef.ctx.registry.reload("observer");
    await eventually(() => reef.ctx.registry.get("observer")?.draining === 0);
    ticks.length = 0;
    await eventually(() => ticks.length > 2);
    await reef.ctx.registry.reload("a");
    await eventually(() => reef.ctx.registry.get("a")?.draining === 0);
    ticks.length = 0;
    await Bun.sleep(10);
    expect(ticks).toEqual([]);
  });

  test("says which service is missing when it has gone", async () => {
    const { reef, ctx } = await start({ "a/index.ts": STORE("one") });
    const store = ctx.getStore<Store>("a") as Store;
    await reef.ctx.unloadModule("a");
    expect(() => store.add("x")).toThrow('service "a" is not loaded');
    expect(ctx.getStore("a")).toBeUndefined();
  });

  test("of a module object is the object itself", async () => {
    const store = { flush: () => undefined };
    const reef = await startReef({ "observer/index.ts": OBSERVER }, { modules: [{ name: "obj", store }] });
    open.push(reef);
    expect(reef.ctx.getStore("obj")).toBe(store);
  });
});
