import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { findSmallDisk } from "./small-disk.js";
import { patterns } from "./stores.js";

const writer = join(import.meta.dir, "full-disk-writer.ts");
const onSmallDisk = findSmallDisk();

interface Outcome {
  acknowledged: string[];
  acknowledgedWhileFull: number;
  refusals: string[];
  whileFull: string[];
  afterwards: string[];
  reports: string[];
}

test.skipIf(!onSmallDisk && process.env.CI !== "true")("this machine can give a test a full disk", () => {
  expect(onSmallDisk).toBeDefined();
});

describe.skipIf(!onSmallDisk)("on a full disk (needs user namespaces or root)", () => {
  test.each([...patterns])(
    "%s refuses with STORAGE_FULL, keeps what it has and goes on when there is room",
    async (pattern) => {
      const output = await onSmallDisk?.((folder) => [process.execPath, writer, pattern, folder]);
      const outcome = JSON.parse(output ?? "") as Outcome;
      expect(outcome.acknowledgedWhileFull).toBeGreaterThan(20);
      expect(outcome.refusals).toEqual(["STORAGE_FULL"]);
      expect(outcome.whileFull).toEqual(outcome.acknowledged.slice(0, outcome.acknowledgedWhileFull));
      expect(outcome.afterwards).toEqual([...outcome.acknowledged, "after"]);
      expect(outcome.reports).toEqual([]);
    },
    30_000,
  );
});
