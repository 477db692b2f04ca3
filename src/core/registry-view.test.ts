import { afterEach, describe, expect, test } from "bun:test";
import { AsyncLocalStorage } from "node:async_hooks";
import { endRegistries, failure, startRegistry } from "../../tests/support/registry.js";
import { answering } from "../../tests/support/sandbox.js";

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
