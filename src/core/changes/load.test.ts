import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { endRegistries, failure, startRegistry } from "../../../tests/support/registry.js";
import { answering, eventually } from "../../../tests/support/sandbox.js";

afterEach(endRegistries);

describe("load", () => {
  test("adds a folder, then exchanges it for its present code", async () => {
    const { reef, registry } = await startRegistry();
    reef.sandbox.services({ "a/index.ts": answering("a", "one") });
    expect(await registry.load("a")).toEqual({ name: "a", action: "added" });
    reef.sandbox.services({ "a/index.ts": answering("a", "two") });
    expect(await reef.text("/a")).toBe("one");
    expect(await registry.load("a")).toEqual({ name: "a", action: "updated" });
    expect(await reef.text("/a")).toBe("two");
    expect(registry.get("a")).toMatchObject({ state: "loaded", dirName: "a", generation: 2 });
  });

  test("does not wait for the copies that are being made of others' code", async () => {
    const { reef, registry } = await startRegistry({ "a/index.ts": answering("a", "a") });
    const copies = Promise.withResolvers<void>();
    const { snapshots } = reef.registry;
    if (!snapshots) throw new Error("this server keeps copies");
    // Those of the start.
    await reef.registry.copies.keepAll([]);
    const keep = spyOn(snapshots, "keep").mockReturnValueOnce(copies.promise);
    const making = reef.registry.copies.keepAll(["a"]);
    await eventually(() => keep.mock.calls.length > 0, "the first copy");
    reef.sandbox.services({ "b/index.ts": answering("b", "b") });
    expect(await registry.load("b")).toEqual({ name: "b", action: "added" });
    expect(keep.mock.calls.map(([dirName]) => dirName)).toEqual(["a", "b"]);
    copies.resolve();
    await making;
  });

  test("serves under the module's name, which need not be the folder's", async () => {
    const { reef, registry } = await startRegistry();
    reef.sandbox.services({ "folder/index.ts": answering("shown", "x") });
    expect(await registry.load("folder")).toEqual({ name: "shown", action: "added" });
    expect(await reef.text("/shown")).toBe("x");
    expect(await registry.reload("shown")).toEqual({ name: "shown", action: "updated" });
    expect((await reef.call("/folder")).status).toBe(404);
  });

  test.each(["../outside", "..", ".", "", "a/b", ".hidden", "a%2fb", "/etc"])(
    "%p is no folder name; nothing outside the services folder is run",
    async (dirName) => {
      const { reef, registry } = await startRegistry();
      reef.sandbox.write("outside/index.ts", 'globalThis.__ran = true; export default { name: "x" };');
      expect(await failure(registry.load(dirName))).toMatchObject({ code: "BAD_FOLDER" });
      expect("__ran" in globalThis).toBe(false);
    },
  );

  test("an unknown folder is refused and leaves no trace", async () => {
    const { registry } = await startRegistry();
    expect(await failure(registry.load("ghost"))).toMatchObject({ code: "UNKNOWN" });
    expect(await failure(registry.reload("ghost"))).toMatchObject({ code: "UNKNOWN" });
    expect(registry.list()).toEqual([]);
  });

  test("changes auth, root mount and routes with the code", async () => {
    const { reef, registry } = await startRegistry({ "a/index.ts": answering("a", "closed") });
    expect((await reef.app.request("/a")).status).toBe(401);
    reef.sandbox.services({ "a/index.ts": answering("a", "open", "requiresAuth: false") });
    await registry.load("a");
    expect((await reef.app.request("/a")).status).toBe(200);
    reef.sandbox.services({ "a/index.ts": answering("a", "root", "mountAtRoot: true") });
    await registry.load("a");
    expect([await reef.text("/"), (await reef.call("/a")).status]).toEqual(["root", 404]);
    expect((await reef.app.request("/")).status).toBe(401);
    reef.sandbox.services({ "a/index.ts": 'export default { name: "a" };' });
    await registry.load("a");
    expect([(await reef.call("/")).status, (await reef.call("/a")).status]).toEqual([404, 404]);
  });

  test.each(["import", "init"])(
    "a thrown value that will not say what it is fails the %s, as any other",
    async (step) => {
      const { reef, registry } = await startRegistry();
      const hostile =
        "throw new Proxy(new Error(), { getPrototypeOf() { throw new Error('not telling'); } });";
      const code = step === "import" ? hostile : `export default { name: "a", init() { ${hostile} } };`;
      reef.sandbox.services({ "a/index.ts": code });
      expect(await failure(registry.load("a"))).toMatchObject({ code: `${step.toUpperCase()}_FAILED`, step });
    },
  );
});
