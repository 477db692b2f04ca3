import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { endRegistries, failure, startRegistry } from "../../tests/support/registry.js";
import { answering } from "../../tests/support/sandbox.js";
import { failureStatus } from "./load-failure.js";
import { StorageError } from "./storage-error.js";

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
