import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { endRegistries, startRegistry } from "../../../tests/support/registry.js";
import { answering } from "../../../tests/support/sandbox.js";

afterEach(endRegistries);

describe("a copy of what serves is kept", () => {
  const NAMES = ["a", "b", "c", "d", "e", "f"];
  const files = Object.fromEntries(NAMES.map((name) => [`${name}/index.ts`, answering(name, name)]));

  test("when the server ends right after its start", async () => {
    const { reef } = await startRegistry(files);
    await reef.close();
    expect(readdirSync(join(reef.sandbox.dataDir, ".reef", "snapshots")).sort()).toEqual(NAMES);
  });

  test("when it is removed right after its start", async () => {
    const { reef, registry } = await startRegistry(files);
    await registry.unload("f");
    expect(reef.registry.snapshots?.list("f")).toHaveLength(1);
  });
});
