import { expect, test } from "bun:test";
import { join } from "node:path";
import { findSmallDisk } from "./storage/small-disk.js";

const onSmallDisk = findSmallDisk();
const publisher = join(import.meta.dir, "events-full-disk-publisher.ts");

test.skipIf(!onSmallDisk)(
  "a full disk refuses events with 507, nothing else; publishing resumes when there is room",
  async () => {
    const output = await onSmallDisk?.((folder) => [process.execPath, publisher, folder]);
    const { acknowledged, refusal, whileFull, after, afterId, afterwards, found, seen } = JSON.parse(
      output?.trim().split("\n").at(-1) ?? "",
    );
    expect(refusal).toEqual({ status: 507, data: { error: expect.stringContaining("The disk is full") } });
    expect(acknowledged.length).toBeGreaterThan(50);
    expect(whileFull).toMatchObject({ again: 507, health: 200, searched: 200 });
    expect(whileFull.listed).toEqual(acknowledged);
    expect(whileFull.stats.byType.filling).toBe(acknowledged.length);
    expect(after).toBe(201);
    expect(afterwards).toEqual([...acknowledged, afterId]);
    expect([found, seen]).toEqual([1, acknowledged.length + 1]);
  },
  60_000,
);
