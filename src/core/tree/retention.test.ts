import { describe, expect, test } from "bun:test";
import { cleanUpTrees, event, fill, ids, tree } from "../../../tests/support/trees.js";
import type { EventNode } from "../tree.js";

cleanUpTrees();

describe("retention", () => {
  test("by count removes the oldest and keeps the numbers right", async () => {
    const log = tree({ retention: { maxEvents: 450 } });
    const nodes = await fill(log, 1000);
    await log.prune();
    const { events } = await log.search({ limit: 1000 });
    expect(ids(events)).toEqual(ids(nodes.slice(-450).reverse()));
    expect(await log.stats()).toMatchObject({
      count: 450,
      pruned: nodes[549]?.id,
      oldest: nodes[550]?.id,
      byType: { note: 450 },
      bySource: { test: 450 },
    });
    expect((await log.search({ text: "number 549" })).events).toEqual([]);
    expect((await log.search({ text: "number 550" })).events).toHaveLength(1);
  });

  test("by age removes what is older and stops at the first that is not", async () => {
    let now = 1_700_000_000_000;
    const log = tree({ retention: { maxAgeMs: 60_000 }, now: () => now });
    await fill(log, 10);
    now += 50_000;
    const kept = await fill(log, 10);
    now += 20_000;
    expect(await log.prune()).toBe(10);
    expect(ids((await log.search()).events)).toEqual(ids(kept.toReversed()));
  });

  test("lets publishers in between its slices", async () => {
    const log = tree({ retention: { maxEvents: 0 } });
    await fill(log, 2000);
    const pruning = log.prune();
    const order: string[] = [];
    pruning.then(() => order.push("pruned"));
    await log.append(event("meanwhile"));
    order.push("appended");
    await pruning;
    expect(order).toEqual(["appended", "pruned"]);
  });

  test("happens by itself once there are clearly too many", async () => {
    const log = tree({ retention: { maxEvents: 100 } });
    for (let i = 0; i < 10; i++) await fill(log, 50);
    await log.prune();
    expect((await log.stats()).count).toBe(100);
  });

  test("children of a removed event keep its id, are listed as orphans, and their path says so", async () => {
    const log = tree();
    const [p1, p2] = (await fill(log, 2)) as [EventNode, EventNode];
    const c1 = await log.append(event("c1", { parentId: p1.id }));
    const c2 = await log.append(event("c2", { parentId: p2.id }));
    const c3 = await log.append(event("c3", { parentId: p1.id }));
    const grandchild = await log.append(event("g", { parentId: c1.id }));
    log.setRetention({ maxEvents: 4 });
    await log.prune();
    expect(ids((await log.orphans()).events)).toEqual(ids([c2, c3, c1]));
    const first = await log.orphans({ limit: 2 });
    expect(ids(first.events)).toEqual(ids([c2, c3]));
    expect(ids((await log.orphans({ limit: 2, cursor: first.next ?? "" })).events)).toEqual([c1.id]);
    expect(ids((await log.children(p1.id)).events)).toEqual(ids([c1, c3]));
    expect(await log.path(grandchild.id)).toEqual({ events: [c1, grandchild], complete: false });
    expect(log.append(event("x", { parentId: p1.id }))).rejects.toMatchObject({ reason: "unknown-parent" });
  });
});
