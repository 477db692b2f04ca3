import { afterEach, describe, expect, test } from "bun:test";
import { AsyncLocalStorage } from "node:async_hooks";
import { endRegistries, failure, startRegistry } from "../../../tests/support/registry.js";
import { answering } from "../../../tests/support/sandbox.js";

afterEach(endRegistries);

describe("running a function on a service's module", () => {
  test("gives what the function gives, with what it opens in the service's own context", async () => {
    const { registry } = await startRegistry({ "a/index.ts": answering("a", "a") });
    const graphs = (name: string) =>
      registry.run(name, ({ description }) => [description, Bun.ModuleGraph.current]);
    const [, graph] = graphs("a");
    expect(graph).toBeInstanceOf(Bun.ModuleGraph);
    expect(graphs("a")[1]).toBe(graph);
    await registry.reload("a");
    expect(graphs("a")[1]).not.toBe(graph);
  });

  test("is over for whoever waits when the version goes before it answers", async () => {
    const { registry } = await startRegistry({ "a/index.ts": answering("a", "a") });
    const waiting = failure(registry.run("a", () => new Promise<void>(() => undefined)));
    await registry.unload("a");
    expect(await waiting).toMatchObject({ name: "ScopeEnded", message: expect.stringContaining('"a"') });
  });

  test("of a service that is not there is refused", async () => {
    const { registry } = await startRegistry();
    expect(() => registry.run("ghost", () => 1)).toThrow('"ghost"');
  });
});

test("a verification runs in the context of whoever asks for it", async () => {
  const { reef, registry } = await startRegistry();
  reef.sandbox.services({ "a/index.ts": answering("a", "a") });
  const asking = new AsyncLocalStorage<string>();
  let seen: string | undefined;
  await asking.run("the caller", () =>
    registry.load("a", {
      verify: async () => {
        seen = asking.getStore();
      },
    }),
  );
  expect(seen).toBe("the caller");
});

test("a service is known by its name, its code by the folder it serves from", async () => {
  const { reef, registry } = await startRegistry({ "folder/index.ts": answering("shown", "one") });
  const dir = `${reef.sandbox.servicesDir}/folder`;
  expect(registry.locate("shown")).toEqual({ dirName: "folder", dir });
  expect(registry.servedFrom("shown")).toBe(dir);
  expect(registry.servedFrom("ghost")).toBeUndefined();
  await registry.reload("shown");
  const digest = registry.get("shown")?.digest as string;
  reef.sandbox.services({ "folder/index.ts": answering("shown", "two") });
  // Its own folder holds other code by now.
  expect(registry.servedFrom("shown")).toEndWith(digest);
  expect(registry.versions("shown")).toMatchObject([{ digest, served: true }]);
});

test("a change that an init asks for rejects when it is refused, like any other", async () => {
  const asks = `init(ctx) {
    for (const method of ["load", "reload", "unload", "disable", "enable", "rollback"])
      ctx.registry[method]("ghost").catch(({ code }) => ctx.log.warn(method, code));
  }`;
  const { registry } = await startRegistry({ "a/index.ts": answering("a", "a", asks) });
  expect(registry.failures()).toEqual([]);
});

describe("an init that waits for a change of its own folder is refused", () => {
  const asking = (call: string) => answering("own", "there", `async init(ctx) { await ctx.${call}; }`);

  test.each([
    'loadModule("folder")',
    'registry.reload("folder")',
    'registry.disable("folder")',
    'registry.enable("folder")',
  ])("for %s", async (call) => {
    const { reef, registry } = await startRegistry({ "folder/index.ts": asking(call) });
    const refused = { code: "INIT_CYCLE", step: "init", message: expect.stringContaining('"folder"') };
    expect(registry.failures()).toMatchObject([{ code: "INIT_CYCLE" }]);
    expect(await failure(registry.load("folder"))).toMatchObject(refused);
    // Also when a version serves, which then goes on.
    reef.sandbox.services({ "folder/index.ts": answering("own", "there") });
    await registry.load("folder");
    reef.sandbox.services({ "folder/index.ts": asking(call) });
    expect(await failure(registry.load("folder"))).toMatchObject(refused);
    expect(await reef.text("/own")).toBe("there");
  });

  test("and may go on without it", async () => {
    const { reef } = await startRegistry({
      "own/index.ts": answering(
        "own",
        "there",
        'async init(ctx) { await ctx.loadModule("own").catch((error) => ctx.log.warn(error.code)); }',
      ),
    });
    expect(await reef.text("/own")).toBe("there");
    expect(reef.lines.map(({ text }) => text)).toContain("INIT_CYCLE");
  });

  test("leaves its own folder out when it goes through all of them", async () => {
    const { reef, registry } = await startRegistry();
    reef.sandbox.services({
      "all/index.ts": answering(
        "all",
        "all",
        "async init(ctx) { globalThis.__all = await ctx.registry.sync(); }",
      ),
      "other/index.ts": answering("other", "other"),
    });
    await registry.load("all");
    expect((globalThis as unknown as { __all: object }).__all).toEqual({
      results: [{ name: "other", action: "added" }],
      errors: [{ dir: "all", error: expect.stringContaining("init()") }],
    });
  });

  test("when services wait for each other", async () => {
    const { reef, registry } = await startRegistry();
    const loading = (name: string, other: string) =>
      answering(name, name, `async init(ctx) { await ctx.loadModule("${other}"); }`);
    reef.sandbox.services({ "a/index.ts": loading("a", "b"), "b/index.ts": loading("b", "a") });
    const { code, message } = await failure(registry.load("a"));
    expect({ code, message }).toEqual({ code: "INIT_CYCLE", message: expect.stringContaining("b → a → b") });
  });
});
