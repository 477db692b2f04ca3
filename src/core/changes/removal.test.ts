import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { endRegistries, failure, startRegistry } from "../../../tests/support/registry.js";
import { answering, eventually } from "../../../tests/support/sandbox.js";
import { failureStatus } from "../load-failure.js";
import { StorageError } from "../storage-error.js";

afterEach(endRegistries);

const unsaved = (error: string) => ({
  "a/index.ts": answering("a", "still here", `store: { flush() { throw ${error}; } },`),
});
const full = 'Object.assign(new Error("no space"), { code: "ENOSPC" })';

describe("a service whose store cannot be saved", () => {
  test.each(["unload", "disable"] as const)("serves on when it is to %s, unless forced", async (way) => {
    const { reef, registry } = await startRegistry(unsaved(full));
    const refused = await failure(registry[way]("a"));
    expect(refused).toMatchObject({ code: "FLUSH_FAILED", message: expect.stringContaining("no space") });
    expect([await reef.text("/a"), registry.get("a")?.state]).toEqual(["still here", "loaded"]);
    await registry[way]("a", { force: true });
    expect((await reef.call("/a")).status).toBe(404);
  });

  test("serves on when its folder is gone, and is reported until it could be saved", async () => {
    const { reef, registry } = await startRegistry(unsaved(full));
    rmSync(join(reef.sandbox.servicesDir, "a"), { recursive: true });
    const { results, errors } = await registry.sync();
    expect([results, errors]).toEqual([[], [{ dir: "a", error: expect.stringContaining("no space") }]]);
    expect(await reef.text("/a")).toBe("still here");
  });

  test.each([
    [full, 507],
    ['new Error("out of order")', 503],
  ])("is no fault of the caller's: %s answers %i, also when it is to be exchanged", async (error, status) => {
    const { registry } = await startRegistry(unsaved(error));
    expect(failureStatus(await failure(registry.unload("a")))).toBe(status as 503);
    expect(failureStatus(await failure(registry.reload("a")))).toBe(status as 503);
  });
});

test("a service serves on when it cannot be kept that it is switched off", async () => {
  const { reef, registry } = await startRegistry({ "a/index.ts": answering("a", "still here") });
  const { switches } = reef.registry;
  if (!switches) throw new Error("this server keeps what is switched off");
  spyOn(switches, "disable").mockImplementationOnce(() => {
    throw new StorageError("STORAGE_FULL", "no space left");
  });
  expect(await failure(registry.disable("a", { force: true }))).toMatchObject({ code: "STORAGE_FULL" });
  expect([await reef.text("/a"), registry.get("a")?.state]).toEqual(["still here", "loaded"]);
});

describe("unload", () => {
  const pair = {
    "base/index.ts": answering("base", "base"),
    "top/index.ts": answering("top", "top", 'dependencies: ["base"]'),
  };

  test("is refused while another service depends on it, unless forced", async () => {
    const { reef, registry } = await startRegistry(pair);
    const refused = await failure(registry.unload("base"));
    expect(refused).toMatchObject({ code: "IN_USE" });
    expect(refused.message).toContain('"top"');
    expect(await reef.text("/base")).toBe("base");
    await registry.unload("base", { force: true });
    expect((await reef.call("/base")).status).toBe(404);
    expect(reef.liveModules.has("base")).toBe(false);
  });

  test("is refused when another service comes to need it while its store is being saved", async () => {
    const gate = Promise.withResolvers<void>();
    const flushing = Promise.withResolvers<void>();
    const store = {
      flush() {
        flushing.resolve();
        return gate.promise;
      },
    };
    const { reef, registry } = await startRegistry({}, { modules: [{ name: "base", store }] });
    const refused = failure(registry.unload("base"));
    await flushing.promise;
    const release = reef.registry.table.claim({ name: "late", dependencies: ["base"] }, "late");
    gate.resolve();
    expect(await refused).toMatchObject({ code: "IN_USE" });
    expect(reef.liveModules.has("base")).toBe(true);
    release();
    await registry.unload("base");
  });

  test("of an unknown service says so; a service cannot remove itself", async () => {
    const { reef, registry } = await startRegistry({
      "a/index.ts": 'export default { name: "a", init(ctx) { globalThis.__ctx = ctx; } };',
    });
    expect(await failure(registry.unload("ghost"))).toMatchObject({ code: "UNKNOWN" });
    const own = (globalThis as unknown as { __ctx: typeof reef.ctx }).__ctx;
    expect(await failure(own.unloadModule("a"))).toMatchObject({ code: "PROTECTED" });
  });

  test("a module object can be unloaded but not reloaded", async () => {
    const { registry } = await startRegistry({}, { modules: [{ name: "obj" }] });
    expect(await failure(registry.reload("obj"))).toMatchObject({ code: "PROTECTED" });
    await registry.unload("obj");
    expect(registry.list()).toEqual([]);
  });
});

describe("switching off", () => {
  const folder = { "folder/index.ts": answering("shown", "x") };
  const both = ["folder", "shown"];
  const ways = both.flatMap((off) => both.map((on) => [off, on] as const));

  test.each(ways)("by the name %p stops what serves, and by %p it is back", async (off, on) => {
    const { reef, registry } = await startRegistry(folder);
    await registry.disable(off, { reason: "why" });
    expect((await reef.call("/shown")).status).toBe(404);
    expect(registry.list()).toMatchObject([
      { name: "shown", dirName: "folder", state: "disabled", reason: "why" },
    ]);
    expect(await registry.enable(on)).toEqual({ name: "shown", action: "added" });
    expect(await reef.text("/shown")).toBe("x");
  });

  test("a folder that is gone is not listed, is off when it is back, and can be switched on to be forgotten", async () => {
    const { reef, registry } = await startRegistry(folder);
    const path = join(reef.sandbox.servicesDir, "folder");
    await registry.disable("shown");
    renameSync(path, `${path}-away`);
    expect(registry.list()).toEqual([]);
    renameSync(`${path}-away`, path);
    expect(registry.list()).toMatchObject([{ name: "shown", state: "disabled" }]);
    renameSync(path, `${path}-away`);
    expect(await failure(registry.enable("shown"))).toMatchObject({
      code: "UNKNOWN",
      message: '"folder" is no longer disabled, but its folder does not exist.',
    });
    renameSync(`${path}-away`, path);
    expect(await registry.load("folder")).toEqual({ name: "shown", action: "added" });
  });

  test("is forgotten with a folder that is gone, and with no other", async () => {
    const { reef, registry } = await startRegistry(folder);
    await registry.disable("shown");
    await registry.forget("folder");
    expect(registry.list()).toMatchObject([{ state: "disabled" }]);
    const path = join(reef.sandbox.servicesDir, "folder");
    renameSync(path, `${path}-away`);
    await registry.forget("folder");
    renameSync(`${path}-away`, path);
    expect(await registry.load("folder")).toEqual({ name: "shown", action: "added" });
  });

  test("is known of a folder that is gone, and is forgotten after the change that is under way", async () => {
    const { reef, registry } = await startRegistry({
      ...folder,
      "slow/index.ts": `export default {
        name: "slow",
        dispose() {
          return new Promise((resolve) => { globalThis.__letGo = resolve; });
        },
      };`,
    });
    await registry.disable("shown");
    renameSync(join(reef.sandbox.servicesDir, "folder"), join(reef.sandbox.servicesDir, "away"));
    expect(["folder", "shown", "slow"].map((name) => registry.isDisabled(name))).toEqual([
      true,
      false,
      false,
    ]);
    const ending = registry.unload("slow");
    const letGo = await eventually(() => (globalThis as unknown as { __letGo?: () => void }).__letGo);
    const forgetting = registry.forget("folder");
    await Bun.sleep(0);
    expect(registry.isDisabled("folder")).toBe(true);
    letGo();
    await Promise.all([ending, forgetting]);
    expect(registry.isDisabled("folder")).toBe(false);
  });

  test("twice, by either name, does not lose the service's name", async () => {
    const { registry } = await startRegistry(folder);
    await registry.disable("shown");
    await registry.disable("folder", { reason: "still" });
    expect(registry.list()).toMatchObject([{ name: "shown", state: "disabled", reason: "still" }]);
  });

  test("by the folder's name is refused like by the service's", async () => {
    const { reef, registry } = await startRegistry({
      ...folder,
      "top/index.ts": answering("top", "top", 'dependencies: ["shown"]'),
      "own/index.ts": 'export default { name: "self", init(ctx) { globalThis.__self = ctx; } };',
    });
    expect(await failure(registry.disable("folder"))).toMatchObject({ code: "IN_USE" });
    const self = (globalThis as unknown as { __self: typeof reef.ctx }).__self;
    expect(await failure(self.registry.disable("own"))).toMatchObject({ code: "PROTECTED" });
    expect(registry.list().map(({ state }) => state)).toEqual(["loaded", "loaded", "loaded"]);
  });
});
