import { describe, expect, test } from "bun:test";
import { cleanUpTrees, file, fill, ids, tree } from "../../../tests/support/trees.js";
import { type EventNode, EventTree } from "../tree.js";

cleanUpTrees();

describe("what is indexed behind the writer", () => {
  const alternate = (log: EventTree, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        log.append({ type: i % 2 ? "odd" : "even", source: "s", content: `n${i}` }),
      ),
    );

  test("does not matter to searches that reach from the latest events into older ones", async () => {
    const log = tree();
    const older = await alternate(log, 1500);
    await log.search({ text: "n1" });
    const all = [...older, ...(await alternate(log, 300))];
    const odd = all.filter(({ type }) => type === "odd").reverse();
    const found: EventNode[] = [];
    for (let cursor: string | undefined, more = true; more; ) {
      const page = await log.search({ type: "odd", limit: 100, cursor });
      found.push(...page.events);
      cursor = page.next ?? undefined;
      more = page.next !== null;
    }
    expect(ids(found)).toEqual(ids(odd));
    expect((await log.stats()).byType).toEqual({ even: 900, odd: 900 });
  });

  test("does not matter to the list of roots", async () => {
    const log = tree();
    const older = await fill(log, 30);
    await log.search({ text: "number" });
    await fill(log, 5, { parentId: older[0]?.id });
    const all = [...older, ...(await fill(log, 20))].reverse();
    const first = await log.roots({ limit: 25 });
    const rest = await log.roots({ limit: 50, cursor: first.next ?? "" });
    expect(ids([...first.events, ...rest.events])).toEqual(ids(all));
    expect(rest.next).toBeNull();
  });

  test("is completed after a restart", async () => {
    const path = file();
    const first = new EventTree({ path });
    await alternate(first, 1500);
    await first.close();
    const second = tree({ path });
    expect(await second.stats()).toMatchObject({
      count: 1500,
      byType: { even: 750, odd: 750 },
      bySource: { s: 1500 },
    });
    expect((await second.search({ text: "n1499" })).events).toHaveLength(1);
    await alternate(second, 10);
    expect(await second.stats()).toMatchObject({ count: 1510, byType: { even: 755, odd: 755 } });
    expect((await second.search({ source: "s", limit: 1000 })).events).toHaveLength(1000);
  });

  test("stays right when everything was removed and the file is opened again", async () => {
    const path = file();
    const first = new EventTree({ path, retention: { maxEvents: 0 } });
    await alternate(first, 700);
    await first.prune();
    await first.close();
    const second = tree({ path });
    await alternate(second, 6);
    expect((await second.search({ text: "n5" })).events).toHaveLength(1);
    expect((await second.search({ type: "odd" })).events).toHaveLength(3);
    expect(await second.stats()).toMatchObject({ count: 6, byType: { even: 3, odd: 3 } });
  });
});
