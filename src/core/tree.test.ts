import { describe, expect, test } from "bun:test";
import { cleanUpTrees, fill, ids, tree, unknown } from "../../tests/support/trees.js";

cleanUpTrees();

describe("going on after a place", () => {
  test("yields what follows it, oldest first, in bounded portions", async () => {
    const log = tree();
    const nodes = await fill(log, 20);
    const place = await log.locate(nodes[4]?.id ?? "");
    expect(place).toEqual({ position: nodes[4]?.id ?? "" });
    expect(ids((await log.after(nodes[4]?.id ?? "")) ?? [])).toEqual(ids(nodes.slice(5)));
    expect((await log.after("", { events: 3 }))?.length).toBe(3);
    expect((await log.after("", { bytes: 1 }))?.length).toBe(1);
    expect(await log.after(log.latest())).toEqual([]);
  });

  test("knows a removed place, an unknown one, and that the last removed one lost nothing", async () => {
    const log = tree();
    const nodes = await fill(log, 20);
    log.setRetention({ maxEvents: 10 });
    await log.prune();
    expect(await log.locate(nodes[8]?.id ?? "")).toEqual({ reset: "pruned" });
    expect(await log.locate(nodes[9]?.id ?? "")).toEqual({ position: nodes[9]?.id ?? "" });
    expect(await log.locate(unknown)).toEqual({ reset: "unknown" });
    expect(await log.after(nodes[8]?.id ?? "")).toBeNull();
    expect(await log.locate("2020-01-01T00:00:00Z")).toEqual({ reset: "pruned" });
    expect(await log.locate("2100-01-01")).toHaveProperty("position");
    expect(log.locate("rubbish")).rejects.toMatchObject({ reason: "invalid" });
  });
});
