import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withCause } from "./causality.js";
import { EventLogError, type EventNode, EventTree, type EventTreeOptions } from "./tree.js";

const open: EventTree[] = [];
const folders: string[] = [];

function tree(options: Partial<EventTreeOptions> = {}): EventTree {
  const made = new EventTree({ path: ":memory:", ...options });
  open.push(made);
  return made;
}

function file(): string {
  const folder = mkdtempSync(join(tmpdir(), "reef-tree-"));
  folders.push(folder);
  return join(folder, "data", "events.sqlite");
}

afterEach(async () => {
  for (const made of open.splice(0)) await made.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const event = (content: string, more: Record<string, unknown> = {}) => ({
  type: "note",
  source: "test",
  content,
  ...more,
});

/** An id that no event has yet. */
const unknown = "ffffffff-ffff-7fff-bfff-ffffffffffff";

const ids = (events: readonly EventNode[]) => events.map(({ id }) => id);

async function fill(target: EventTree, count: number, more: Record<string, unknown> = {}) {
  return Promise.all(Array.from({ length: count }, (_, i) => target.append(event(`number ${i}`, more))));
}

describe("append", () => {
  test("stores an event with its extra fields and gives it id and time", async () => {
    const log = tree();
    const before = Date.now();
    const node = await log.append(event("hello", { taskId: 7, tags: ["a", { b: null }] }));
    expect(node).toMatchObject({ type: "note", source: "test", content: "hello", parentId: null });
    expect(node.extra).toEqual({ taskId: 7, tags: ["a", { b: null }] });
    expect(Date.parse(node.time)).toBeGreaterThanOrEqual(before);
    expect(await log.get(node.id)).toEqual(node);
  });

  test("resolves only after the row is committed and announced", async () => {
    const path = file();
    const log = tree({ path });
    const announced: string[] = [];
    const other = new Database(path, { readonly: true });
    log.subscribe((events) => {
      for (const { id } of events) {
        expect(other.query("SELECT 1 FROM nodes WHERE id = ?").get(id)).not.toBeNull();
        announced.push(id);
      }
    });
    const nodes = await fill(log, 50);
    expect(announced).toEqual(ids(nodes));
    other.close();
  });

  test("announces what arrives in one tick as one batch, in order", async () => {
    const log = tree();
    const batches: number[] = [];
    log.subscribe((events) => batches.push(events.length));
    await fill(log, 30);
    expect(batches).toEqual([30]);
  });

  test("goes on announcing to others when one listener throws", async () => {
    const warnings: string[] = [];
    const log = tree({ warn: (message) => warnings.push(message) });
    const seen: string[] = [];
    log.subscribe(() => {
      throw new Error("listener broke");
    });
    log.subscribe((events) => seen.push(...ids(events)));
    const node = await log.append(event("x"));
    expect(seen).toEqual([node.id]);
    expect(warnings).toEqual([expect.stringContaining("listener broke")]);
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  test.each([
    ["no type", { source: "a", content: "x" }, /needs "type"/],
    ["an empty type", { type: " ", source: "a", content: "x" }, /"type".*empty/],
    ["a long type", { type: "t".repeat(201), source: "a", content: "x" }, /at most 200/],
    ["a number as source", { type: "t", source: 1, content: "x" }, /needs "source"/],
    ["no content", { type: "t", source: "a" }, /needs "content"/],
    ["too much content", { type: "t", source: "a", content: "é".repeat(40_000) }, /65536 bytes/],
    ["too much else", event("x", { data: "d".repeat(70_000) }), /65536 bytes/],
    ["a function", event("x", { run: () => 1 }), /"run".*function/],
    ["a bigint deep down", event("x", { a: [{ b: 1n }] }), /"a\[0\]\.b".*bigint/],
    ["NaN", event("x", { score: Number.NaN }), /"score".*NaN/],
    ["a Map", event("x", { m: new Map() }), /"m".*Map/],
    ["a cycle", event("x", { cycle }), /nested/],
    ["an id of its own", event("x", { id: "mine" }), /"id" is given/],
    ["a parent that is no id", event("x", { parentId: "'; DROP TABLE nodes" }), /not the id/],
    ["an unknown parent", event("x", { parentId: Bun.randomUUIDv7() }), /There is no event/],
  ])("refuses %s and stores nothing", async (_what, input, message) => {
    const log = tree();
    const good = fill(log, 2);
    const failure = await log.append(input as never).then(
      () => undefined,
      (error) => error,
    );
    expect(failure).toBeInstanceOf(EventLogError);
    expect(failure.status).toBe(400);
    expect(failure.message).toMatch(message);
    await good;
    expect((await log.stats()).count).toBe(2);
  });

  test("keeps what was published, whatever the publisher does to the object afterwards", async () => {
    const log = tree();
    const data = { list: [1] };
    const stored = log.append(event("x", { data }));
    data.list.push(2);
    expect((await stored).extra).toEqual({ data: { list: [1] } });
  });

  test("keeps a field called __proto__ as data", async () => {
    const log = tree();
    const { id } = await log.append(JSON.parse('{"type":"t","source":"s","content":"","__proto__":{"a":1}}'));
    const extra = (await log.get(id))?.extra;
    expect(JSON.stringify(extra)).toBe('{"__proto__":{"a":1}}');
  });

  test("refuses more than it is allowed to hold in memory, and recovers", async () => {
    const log = tree({ maxQueuedBytes: 5000 });
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => log.append(event("x"))));
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.reason).toMatchObject({ reason: "overloaded", status: 503 });
    expect((await log.stats()).count).toBe(30 - refused.length);
    await log.append(event("later"));
  });

  test("refuses after close", async () => {
    const log = tree();
    const last = log.append(event("just in time"));
    await log.close();
    expect((await last).content).toBe("just in time");
    expect(log.append(event("late"))).rejects.toMatchObject({ reason: "closed" });
  });
});

describe("ids", () => {
  test("increase in the order of commits, across restarts and when the clock steps back", async () => {
    const path = file();
    let now = Date.now();
    const seen: string[] = [];
    for (let start = 0; start < 3; start++) {
      const log = new EventTree({ path, now: () => now });
      for (let i = 0; i < 20; i++) {
        seen.push(...ids(await fill(log, 3)));
        now -= i % 2 ? 3_600_000 : 1;
      }
      await log.close();
    }
    expect(seen).toEqual([...new Set(seen)].sort());
  });

  test("increase when everything was removed before the restart", async () => {
    const path = file();
    const first = new EventTree({ path, retention: { maxEvents: 0 } });
    const [node] = await fill(first, 1);
    await first.prune();
    await first.close();
    const second = tree({ path, now: () => 1000 });
    expect((await second.append(event("x"))).id > (node?.id ?? "")).toBe(true);
  });
});

describe("causality", () => {
  test("an event published on behalf of another becomes its child", async () => {
    const log = tree();
    const cause = await log.append(event("cause"));
    const effect = await withCause(cause.id, async () => {
      await Bun.sleep(0);
      return log.append(event("effect"));
    });
    expect(effect.parentId).toBe(cause.id);
    expect((await log.append(event("unrelated"))).parentId).toBeNull();
  });

  test("an explicit parent, or null, wins over the cause", async () => {
    const log = tree();
    const [cause, other] = (await fill(log, 2)) as [EventNode, EventNode];
    await withCause(cause.id, async () => {
      expect((await log.append(event("x", { parentId: other.id }))).parentId).toBe(other.id);
      expect((await log.append(event("x", { parentId: null }))).parentId).toBeNull();
    });
  });

  test("a cause that never existed is left out, one that was removed is kept", async () => {
    const log = tree({ retention: { maxEvents: 0 } });
    const gone = await log.append(event("gone"));
    await log.prune();
    log.setRetention({});
    expect((await withCause(gone.id, () => log.append(event("x")))).parentId).toBe(gone.id);
    expect((await withCause(unknown, () => log.append(event("x")))).parentId).toBeNull();
    expect((await withCause("junk", () => log.append(event("x")))).parentId).toBeNull();
  });

  test("listeners do not run on behalf of whoever published", async () => {
    const log = tree();
    const cause = await log.append(event("cause"));
    const parents: (string | null)[] = [];
    const stop = log.subscribe(() => {
      stop();
      log.append(event("from a listener")).then(({ parentId }) => parents.push(parentId));
    });
    await withCause(cause.id, () => log.append(event("x")));
    await log.append(event("y"));
    expect(parents).toEqual([null]);
  });
});

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

describe("search", () => {
  test("by type, source, both, and time", async () => {
    let now = Date.parse("2026-03-01T00:00:00Z");
    const log = tree({ now: () => now });
    const nodes: EventNode[] = [];
    for (const type of ["start", "end"]) {
      for (const source of ["ann", "bob"]) {
        now += 60_000;
        nodes.push(await log.append({ type, source, content: `${source} ${type}` }));
      }
    }
    const [annStart, bobStart, annEnd, bobEnd] = nodes as [EventNode, EventNode, EventNode, EventNode];
    const found = async (query: Parameters<EventTree["search"]>[0]) => ids((await log.search(query)).events);
    expect(await found({ type: "end" })).toEqual(ids([bobEnd, annEnd]));
    expect(await found({ source: "ann" })).toEqual(ids([annEnd, annStart]));
    expect(await found({ source: "bob", type: "start" })).toEqual(ids([bobStart]));
    expect(await found({ since: bobStart.time, until: bobEnd.time })).toEqual(ids([annEnd, bobStart]));
    expect(await found({ text: "ann", type: "end" })).toEqual(ids([annEnd]));
    expect(await found({ since: "2026-04-01T00:00:00Z" })).toEqual([]);
    expect(log.search({ since: "yesterday" })).rejects.toMatchObject({ reason: "invalid" });
  });

  test("finds words of the content and of textual fields, and beginnings of words", async () => {
    const log = tree();
    const node = await log.append(event("Déploiement of board-api failed", { detail: "timeout in step 3" }));
    await log.append(event("something else"));
    for (const text of ["deploiement", "deploi*", "board-api", "FAILED timeout", "step 3", "api board"]) {
      expect([text, ids((await log.search({ text })).events)]).toEqual([text, [node.id]]);
    }
    for (const text of ["oard", "deploi", "boar", "ploi*", "timeout missing"]) {
      expect([text, (await log.search({ text })).events]).toEqual([text, []]);
    }
  });

  test("finds words of scripts whose vowels are marks, and letters that the index does not know", async () => {
    const log = tree();
    const hindi = await log.append(event("हिन्दी में लिखा"));
    const split = await log.append(event("alpha\u{1e922}beta"));
    const found = async (text: string) => ids((await log.search({ text })).events);
    expect(await found("हिन्दी")).toEqual([hindi.id]);
    expect(await found("हिन्*")).toEqual([hindi.id]);
    expect(await found("हिन")).toEqual([]);
    expect(await found("alpha\u{1e922}beta")).toEqual([split.id]);
    expect(await found("alpha\u{1e922}be*")).toEqual([split.id]);
  });

  test.each([
    '"',
    "*",
    "a OR b NOT",
    "content:x",
    "NEAR(a b, 2)",
    "(((",
    "a AND",
    "^a",
    "-a",
    "'; DROP TABLE nodes; --",
    "\0",
    "\ud800",
    "💥",
    "",
    "   ",
  ])("takes %j as plain text", async (text) => {
    const log = tree();
    await log.append(event("an unrelated thing"));
    expect((await log.search({ text })).events).toEqual([]);
    expect((await log.stats()).count).toBe(1);
  });

  test("refuses a text of too many words", () => {
    expect(tree().search({ text: "w ".repeat(20) })).rejects.toMatchObject({ reason: "invalid" });
  });

  test("for a rare combination ends each page after bounded work and goes on", async () => {
    const log = tree();
    const rare = await log.append({ type: "rare", source: "busy", content: "" });
    for (let i = 0; i < 6; i++) {
      await Promise.all(
        Array.from({ length: 1000 }, () => log.append({ type: "common", source: "busy", content: "" })),
      );
    }
    await fill(log, 1, { type: "rare", source: "other" });
    const first = await log.search({ type: "rare", source: "busy" });
    expect(first.events).toEqual([]);
    const second = await log.search({ type: "rare", source: "busy", cursor: first.next ?? "" });
    expect(ids(second.events)).toEqual([rare.id]);
    expect(second.next).toBeNull();
  });
});

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

describe("the file", () => {
  test("keeps everything across a restart", async () => {
    const path = file();
    const first = new EventTree({ path });
    const nodes = await fill(first, 10, { tag: "kept" });
    await first.close();
    const second = tree({ path });
    expect((await second.search()).events).toEqual(nodes.toReversed());
    expect(second.latest()).toBe(nodes[9]?.id ?? "");
  });

  test("when damaged is set aside and reported, not overwritten", async () => {
    const path = file();
    await new EventTree({ path }).close();
    writeFileSync(path, "this is not a database, ".repeat(500));
    const warnings: string[] = [];
    const log = tree({ path, warn: (message) => warnings.push(message) });
    await log.append(event("works"));
    const kept = readdirSync(join(path, "..")).find((name) => name.includes(".damaged-")) ?? "";
    expect(await Bun.file(join(path, "..", kept)).text()).toStartWith("this is not a database");
    expect(warnings).toEqual([expect.stringContaining("damaged")]);
  });

  test("of a newer format is refused and left alone", () => {
    const path = file();
    tree({ path });
    const db = new Database(path);
    db.run("PRAGMA user_version = 99");
    db.close();
    expect(() => new EventTree({ path })).toThrow("newer version");
  });
});
