import { describe, expect, test } from "bun:test";
import { cleanUpTrees, event, fill, ids, tree } from "../../../tests/support/trees.js";
import type { EventNode } from "../tree.js";

cleanUpTrees();

describe("reading", () => {
  async function family() {
    const log = tree();
    const root = await log.append(event("root"));
    const [a, b] = (await fill(log, 2, { parentId: root.id })) as [EventNode, EventNode];
    const [a1, a2] = (await fill(log, 2, { parentId: a.id })) as [EventNode, EventNode];
    const [b1] = (await fill(log, 1, { parentId: b.id })) as [EventNode];
    const second = await log.append(event("second root"));
    return { log, root, a, b, a1, a2, b1, second };
  }

  test("roots come newest first, children oldest first", async () => {
    const { log, root, a, b, second } = await family();
    expect(ids((await log.roots()).events)).toEqual(ids([second, root]));
    expect(ids((await log.children(root.id)).events)).toEqual(ids([a, b]));
  });

  test("the path leads from the root to the event", async () => {
    const { log, root, a, a2 } = await family();
    expect(await log.path(a2.id)).toEqual({ events: [root, a, a2], complete: true });
    expect(await log.path(a2.id, 2)).toEqual({ events: [a, a2], complete: false });
    expect(await log.path(Bun.randomUUIDv7())).toBeNull();
  });

  test("a subtree is in reading order, with depths, and can be cut off", async () => {
    const { log, root, a, b, a1, a2, b1 } = await family();
    const whole = await log.subtree(root.id);
    expect(whole?.entries.map(({ event, depth }) => [event.id, depth])).toEqual([
      [root.id, 0],
      [a.id, 1],
      [a1.id, 2],
      [a2.id, 2],
      [b.id, 1],
      [b1.id, 2],
    ]);
    expect(whole?.next).toBeNull();
    const shallow = await log.subtree(root.id, { maxDepth: 1 });
    expect(shallow?.entries.map(({ event }) => event.id)).toEqual(ids([root, a, b]));
    expect(await log.subtree(Bun.randomUUIDv7())).toBeNull();
  });

  test.each([1, 2, 3, 4, 5, 6])("a subtree in pages of %d is the whole subtree", async (limit) => {
    const { log, root } = await family();
    const whole = await log.subtree(root.id);
    const entries = [];
    let cursor: string | undefined;
    do {
      const page = await log.subtree(root.id, { limit, cursor });
      entries.push(...(page?.entries ?? []));
      expect(page?.entries.length).toBeLessThanOrEqual(limit);
      cursor = page?.next ?? undefined;
    } while (cursor);
    expect(entries).toEqual(whole?.entries ?? []);
  });

  test("a cursor of another subtree is refused", async () => {
    const { log, a, b1 } = await family();
    expect(log.subtree(a.id, { cursor: b1.id })).rejects.toMatchObject({ reason: "invalid" });
  });

  test("pages of roots, children and searches are gapless", async () => {
    const log = tree();
    const root = await log.append(event("root"));
    const children = await fill(log, 25, { parentId: root.id });
    const roots = [root, ...(await fill(log, 25))];
    const everything = [root, ...children, ...roots.slice(1)].reverse();
    const readAll = async (
      read: (page: {
        limit: number;
        cursor?: string;
      }) => Promise<{ events: EventNode[]; next: string | null }>,
    ) => {
      const found: EventNode[] = [];
      let cursor: string | undefined;
      do {
        const page = await read({ limit: 7, cursor });
        found.push(...page.events);
        cursor = page.next ?? undefined;
      } while (cursor);
      return ids(found);
    };
    expect(await readAll((page) => log.roots(page))).toEqual(ids(roots.toReversed()));
    expect(await readAll((page) => log.children(root.id, page))).toEqual(ids(children));
    expect(await readAll((page) => log.search(page))).toEqual(ids(everything));
    expect(await readAll((page) => log.search({ ...page, text: "number" }))).toEqual(
      ids(everything.filter(({ id }) => id !== root.id)),
    );
  });

  test.each([0, 1001, 1.5, Number.NaN])("limit %p is refused", async (limit) => {
    expect(tree().search({ limit })).rejects.toMatchObject({ reason: "invalid" });
  });

  test("a cursor that is none is refused", () => {
    expect(tree().roots({ cursor: "1 OR 1=1" })).rejects.toMatchObject({ reason: "invalid" });
  });
});
