import { describe, expect, test } from "bun:test";
import { cleanUpTrees, event, fill, ids, tree } from "../../../tests/support/trees.js";
import type { EventNode, EventTree } from "../tree.js";

cleanUpTrees();

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
