import { afterEach, describe, expect, test } from "bun:test";
import { endRegistries, failure, startRegistry } from "../../../tests/support/registry.js";
import { answering } from "../../../tests/support/sandbox.js";

afterEach(endRegistries);

describe("a version that is let in", () => {
  test("has the next number of its name, also after the name was given up", async () => {
    const { registry } = await startRegistry({ "a/index.ts": answering("a", "a") });
    const number = () => registry.get("a")?.generation;
    const numbers = [number()];
    await registry.reload("a");
    numbers.push(number());
    await registry.unload("a");
    await registry.load("a");
    numbers.push(number());
    expect(numbers).toEqual([1, 2, 3]);
  });

  test("needs a name that nobody has, nor somebody who is about to start", async () => {
    const { reef, registry } = await startRegistry({ "a/index.ts": answering("a", "first") });
    reef.sandbox.services({
      "copy/index.ts": answering("a", "second"),
      "slow/index.ts": answering("b", "slow", "init: () => globalThis.__admit.promise,"),
      "quick/index.ts": answering("b", "quick"),
    });
    expect(await failure(registry.load("copy"))).toMatchObject({ code: "DUPLICATE_NAME" });
    const { promise, resolve } = Promise.withResolvers<void>();
    Object.assign(globalThis, { __admit: { promise } });
    const { admission } = reef.registry;
    const slow = admission.admit(await reef.registry.importFolder("slow"), "slow", undefined);
    const quick = await reef.registry.importFolder("quick");
    const refused = await failure(admission.admit(quick, "quick", undefined));
    expect(refused).toMatchObject({ code: "DUPLICATE_NAME", message: expect.stringContaining('"slow"') });
    expect(quick.scope.ended).toBe(true);
    resolve();
    expect(await slow).toBe("b");
    expect([await reef.text("/a"), await reef.text("/b")]).toEqual(["first", "slow"]);
  });
});

describe("while a service is starting", () => {
  test.each(["unload", "disable"] as const)("what it needs is refused to %s, unless forced", async (way) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    Object.assign(globalThis, { __needs: { promise } });
    const { reef, registry } = await startRegistry(
      {
        "dep/index.ts": answering("dep", "dep"),
        "user/index.ts": answering(
          "user",
          "x",
          'dependencies: ["dep"], init: () => globalThis.__needs.promise,',
        ),
      },
      { patienceMs: 20 },
    );
    expect(await failure(registry[way]("dep"))).toMatchObject({ code: "IN_USE" });
    expect(await reef.text("/dep")).toBe("dep");
    resolve();
    await reef.settled;
    expect(registry.list().map(({ name, state }) => `${name} ${state}`)).toEqual([
      "dep loaded",
      "user loaded",
    ]);
  });

  test("its need is nobody's any more when it could not be started", async () => {
    const { registry } = await startRegistry({
      "dep/index.ts": answering("dep", "dep"),
      "user/index.ts": answering("user", "x", 'dependencies: ["dep"], init() { throw 1; },'),
    });
    await registry.unload("dep");
    expect(registry.get("dep")).toBeUndefined();
  });
});

describe("once nothing is let in any more", () => {
  test("a load is told so, and the folder is not imported", async () => {
    const { reef, registry } = await startRegistry();
    reef.sandbox.services({ "a/index.ts": "globalThis.__wasImported = true;" });
    reef.registry.admission.close();
    expect(await failure(registry.load("a"))).toMatchObject({ code: "SHUTTING_DOWN" });
    expect("__wasImported" in globalThis).toBe(false);
  });

  test("what was starting meanwhile saves, closes and does not serve", async () => {
    const { reef } = await startRegistry();
    const { promise, resolve } = Promise.withResolvers<void>();
    const did: string[] = [];
    Object.assign(globalThis, { __late: { promise, did } });
    const store = "store: { flush() { __late.did.push('flush'); }, close() { __late.did.push('close'); } },";
    reef.sandbox.services({ "a/index.ts": answering("a", "a", `init: () => __late.promise, ${store}`) });
    const { admission } = reef.registry;
    const generation = await reef.registry.importFolder("a");
    const admitting = failure(admission.admit(generation, "a", undefined));
    admission.close();
    resolve();
    expect(await admitting).toMatchObject({ code: "SHUTTING_DOWN" });
    expect([did, reef.liveModules.size]).toEqual([["flush", "close"], 0]);
  });

  test("what needs no init is refused in the same way", async () => {
    const { reef } = await startRegistry({ "a/index.ts": answering("a", "a") });
    const { admission, table } = reef.registry;
    const source = table.get("a")?.current.source;
    if (!source) throw new Error("it came from a folder");
    const generation = await reef.registry.importFolder("a");
    admission.close();
    expect(() => admission.admitAtOnce(generation, "b", source)).toThrow("shutting down");
    await generation.dispose();
  });
});
