import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fs from "node:fs";
import { eventually } from "../../../tests/support/sandbox.js";
import { cleanUpTrees, event, file, fill, ids, tree, unknown } from "../../../tests/support/trees.js";
import { withCause } from "../causality.js";
import { EventLogError, type EventNode, EventTree } from "../tree.js";

cleanUpTrees();

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

  describe("with a slow disk", () => {
    type Done = (error: NodeJS.ErrnoException | null) => void;
    let syncs: Done[];
    let spy: ReturnType<typeof spyOn>;
    beforeEach(() => {
      syncs = [];
      spy = spyOn(fs, "fdatasync").mockImplementation(((_fd: number, done: Done) =>
        syncs.push(done)) as never);
    });
    afterEach(() => spy.mockRestore());

    test("resolves and announces only once the disk has it; what comes meanwhile shares the next sync", async () => {
      const log = tree({ path: file() });
      const seen: string[] = [];
      log.subscribe((events) => seen.push(...events.map(({ content }) => content)));
      const first = log.append(event("first")).then(() => seen.push("first resolved"));
      await eventually(() => syncs.length === 1);
      const rest = Promise.all(["second", "third"].map((content) => log.append(event(content))));
      await Bun.sleep(5);
      expect([seen, syncs.length, await log.after("")]).toEqual([[], 1, []]);
      syncs[0]?.(null);
      await first;
      await eventually(() => syncs.length === 2);
      expect(seen).toEqual(["first", "first resolved"]);
      syncs[1]?.(null);
      await rest;
      expect(seen.slice(2)).toEqual(["second", "third"]);
    });

    test("acknowledges nothing that the disk did not take, and goes on", async () => {
      const log = tree({ path: file() });
      const seen: string[] = [];
      log.subscribe((events) => seen.push(...events.map(({ content }) => content)));
      const lost = log.append(event("lost")).catch((error) => error);
      await eventually(() => syncs.length === 1);
      syncs[0]?.(Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" }));
      expect(await lost).toMatchObject({ reason: "full" });
      expect([(await log.search()).events, (await log.stats()).count, await log.after("")]).toEqual([
        [],
        0,
        [],
      ]);
      const kept = log.append(event("kept"));
      await eventually(() => syncs.length === 2);
      syncs[1]?.(null);
      const { id } = await kept;
      expect(seen).toEqual(["kept"]);
      expect((await log.after(""))?.map((event) => event.id)).toEqual([id]);
      expect((await log.stats()).count).toBe(1);
    });
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
    ["an id of its own", event("x", { id: "mine" }), /"id" is reserved/],
    ["a parent that is no id", event("x", { parentId: "'; DROP TABLE nodes" }), /not a valid event id/],
    ["an unknown parent", event("x", { parentId: Bun.randomUUIDv7() }), /there is no event/],
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
