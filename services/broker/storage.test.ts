import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryFolder } from "../../src/broker/testing/fixtures.js";
import { SqlitePluginStorage } from "./storage.js";

const folder = temporaryFolder();
const storage = new SqlitePluginStorage(join(folder.path, "kept.sqlite"));
afterAll(() => {
  storage.close();
  folder.remove();
});

const fill = (plugin: string, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => storage.set(plugin, `${"k".repeat(500)}${n}`, n)));

test("keys are listed as long as their list can be sent, and not read beyond that", async () => {
  await fill("some", 8000);
  expect(await storage.keys("some")).toHaveLength(8000);
  await fill("many", 8500);
  await expect(storage.keys("many")).rejects.toMatchObject({
    code: "invalid_output",
    message: expect.stringContaining("too many"),
  });
  expect(await storage.keys("some")).toHaveLength(8000);
});
