import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { createTestHarness, type TestHarness } from "../../../src/core/testing.js";
import { createTestAgent } from "../../../src/core/testing-agent.js";
import log, { createLog } from "./index.js";
import type { LogEntry } from "./store.js";

let t: TestHarness;
beforeAll(async () => {
  t = await createTestHarness({ services: [log] });
});
afterAll(() => t.cleanup());

const texts = (data: { entries: LogEntry[] }) => data.entries.map(({ text }) => text);

/** A log whose entries were written at these times. */
async function logWith(
  entries: Array<[timestamp: string, text: string, agent?: string]>,
): Promise<TestHarness> {
  const harness = await createTestHarness({ services: [createLog()] });
  const lines = entries.map(([timestamp, text, agent]) =>
    JSON.stringify({ id: text, timestamp, text, agent }),
  );
  appendFileSync(join(harness.dataDir, "log.jsonl"), `${lines.join("\n")}\n`);
  return harness;
}

describe("appending", () => {
  test("answers with the stored entry", async () => {
    const before = new Date().toISOString();
    const { status, data } = await t.json("/log", { auth: true, body: { text: "hello", agent: "ada" } });
    expect(status).toBe(201);
    expect(data).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      timestamp: expect.any(String),
      text: "hello",
      agent: "ada",
    });
    expect(data.timestamp >= before && data.timestamp <= new Date().toISOString()).toBe(true);
  });

  test("keeps the order of entries that arrive together", async () => {
    const own = await createTestHarness({ services: [createLog()] });
    const all = Array.from({ length: 200 }, (_, n) => `entry ${n}`);
    await Promise.all(all.map((text) => own.json("/log", { auth: true, body: { text } })));
    expect(texts((await own.json("/log", { auth: true })).data)).toEqual(all);
    await own.cleanup();
  });

  const refused: Array<[string, unknown, string]> = [
    ["nothing", undefined, "text is required"],
    ["a blank text", { text: " \n" }, "text must be a string of at most 20000 characters that is not blank"],
    ["a wrong type", { text: 5 }, "text must be"],
    ["a text that is too long", { text: "x".repeat(20_001) }, "not a string of 20001 characters"],
    ["an unknown field", { text: "a", level: "info" }, "level is not a known field; known: text, agent"],
    ["an empty agent", { text: "a", agent: "" }, "agent must be a string of 1 to 100 characters"],
    ["an array", [{ text: "a" }], "the request body must be an object"],
    ["broken JSON", '{"text": "a"', "the request body is not valid JSON"],
  ];
  test.each(refused)("refuses %s", async (_name, body, error) => {
    const { status, data } = await t.json("/log", { method: "POST", auth: true, body });
    expect(status).toBe(400);
    expect(data.error).toContain(error);
  });
});

describe("reading", () => {
  const entries: Array<[string, string, string?]> = [
    ["2026-01-01T10:00:00.000Z", "one", "ada"],
    ["2026-01-02T10:00:00.000Z", "two\nlines"],
    ["2026-01-03T10:00:00.000Z", "three", "bob"],
  ];
  const cases: Array<[string, string[]]> = [
    ["", ["one", "two\nlines", "three"]],
    ["?since=2026-01-02T10:00:00Z", ["two\nlines", "three"]],
    ["?since=2026-01-02", ["two\nlines", "three"]],
    ["?since=2026-01-02T11:00:00%2B01:00", ["two\nlines", "three"]],
    ["?until=2026-01-02T10:00:00.000Z", ["one", "two\nlines"]],
    ["?since=2026-01-01T10:00:01Z&until=2026-01-03T09:59:59Z", ["two\nlines"]],
    ["?since=2026-02-01&until=2026-01-01", []],
    ["?limit=2", ["two\nlines", "three"]],
    ["?limit=1&until=2026-01-02T23:00:00Z", ["two\nlines"]],
    ["?last=1h", []],
    ["?last=999999w", ["one", "two\nlines", "three"]],
  ];
  test.each(cases)("GET /log%s", async (query, expected) => {
    const own = await logWith(entries);
    const { status, data } = await own.json(`/log${query}`, { auth: true });
    await own.cleanup();
    expect(status).toBe(200);
    expect(texts(data)).toEqual(expected);
    expect(data.count).toBe(expected.length);
  });

  test("last counts back from now", async () => {
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    const own = await logWith([
      [ago(121), "earlier"],
      [ago(30), "lately"],
    ]);
    expect(texts((await own.json("/log?last=2h", { auth: true })).data)).toEqual(["lately"]);
    expect(texts((await own.json("/log?last=122m", { auth: true })).data)).toEqual(["earlier", "lately"]);
    await own.cleanup();
  });

  test("raw is plain text with one entry a line", async () => {
    const own = await logWith(entries);
    const { data: text, headers } = await own.json("/log/raw?since=2026-01-02", { auth: true });
    const nothing = await own.json("/log/raw?until=2025-01-01", { auth: true });
    await own.cleanup();
    for (const reply of [headers, nothing.headers]) expect(reply.get("content-type")).toMatch(/^text\/plain/);
    expect(nothing.status).toBe(200);
    expect(text).toBe("2026-01-02T10:00:00.000Z two\n  lines\n2026-01-03T10:00:00.000Z [bob] three\n");
  });

  test("raw has one entry a line whatever an agent is called", async () => {
    const own = await logWith([
      ["2026-01-01T10:00:00.000Z", "one\r\ntwo\rthree\u2028four", "a] x\n2026-01-01T00:00:00.000Z [root"],
      ["2026-01-02T10:00:00.000Z", "five", "bob\r\u0085\u2029"],
    ]);
    const { data: text } = await own.json("/log/raw", { auth: true });
    await own.cleanup();
    expect(text).toBe(
      "2026-01-01T10:00:00.000Z [a] x 2026-01-01T00:00:00.000Z [root] one\n  two\n  three\n  four\n" +
        "2026-01-02T10:00:00.000Z [bob   ] five\n",
    );
  });

  test("lines that hold no entry are skipped", async () => {
    const own = await logWith([["2026-01-01T10:00:00.000Z", "one", "ada"]]);
    const others = [null, 5, "text", [], {}, { timestamp: 5, text: "a" }, { timestamp: "2026-01-02" }];
    const agent = { timestamp: "2026-01-02", text: "a", agent: {} };
    const lines = [...others, agent].map((line) => JSON.stringify(line));
    appendFileSync(join(own.dataDir, "log.jsonl"), `${lines.join("\n")}\n`);
    const { status, data } = await own.json("/log", { auth: true });
    const raw = await own.json("/log/raw", { auth: true });
    await own.cleanup();
    expect([status, data.count, texts(data)]).toEqual([200, 1, ["one"]]);
    expect([raw.status, raw.data]).toEqual([200, "2026-01-01T10:00:00.000Z [ada] one\n"]);
  });

  const refused: Array<[string, string]> = [
    ["?since=yesterday", "since must be a time such as"],
    ["?since=-1", "since must be a time such as"],
    ["?since=0", "since must be a time such as"],
    ["?since=1.5", "since must be a time such as"],
    ["?since=2026-01-02T10:00:00 01:00", "since must be a time such as"],
    ["?since=2026-02-30", "since must be a time such as"],
    ["?until=2026-04-31T12:00:00Z", "until must be a time such as"],
    ["?until=2026-13-01", "until must be a time such as"],
    ["?until=", "until must be a time such as"],
    ["?last=1y", "last must be a string that matches"],
    ["?last=1h&since=2026-01-01", "give either since or last, not both"],
    ["?limit=0", "limit must be a whole number from 1 to 10000, not 0"],
    ["?agent=ada", "agent is not a known field; known: since, until, last, limit"],
  ];
  test.each(refused)("GET /log%s is refused", async (query, error) => {
    for (const path of ["/log", "/log/raw"]) {
      const { status, data } = await t.json(path + query, { auth: true });
      expect(status).toBe(400);
      expect(data.error).toContain(error);
    }
  });

  test("needs the token", async () => {
    for (const path of ["/log", "/log/raw"]) expect((await t.json(path)).status).toBe(401);
    expect((await t.json("/log", { body: { text: "a" } })).status).toBe(401);
  });
});

describe("tools", () => {
  test("log_append writes under the agent's name, log_query reads it back", async () => {
    const own = createLog();
    const harness = await createTestHarness({ services: [own] });
    const agent = createTestAgent(harness, [own], { name: "ada" });
    expect((await agent.call("log_query")).content[0]?.text).toBe("No entries.");
    const { details } = await agent.call("log_append", { text: "found it" });
    expect(details.entry).toMatchObject({ text: "found it", agent: "ada" });
    for (const params of [{}, { last: "1h" }, { since: "2020-01-01", limit: 5 }]) {
      expect((await agent.call("log_query", params)).content[0]?.text).toEndWith(" [ada] found it\n");
    }
    await harness.cleanup();
  });

  test("say what the server refused, and when there is none", async () => {
    const agent = createTestAgent(t, [log]);
    const refused = await agent.call("log_query", { last: "soon" });
    expect(refused.isError).toBe(true);
    expect(refused.content[0]?.text).toContain("(400): last must be a string that matches");
    const alone = createTestAgent(t, [log], { connected: false });
    for (const result of [await alone.call("log_append", { text: "a" }), await alone.call("log_query")]) {
      expect(result.isError).toBe(true);
      expect(result.content[0]?.text).toContain("VERS_INFRA_URL is not set");
    }
  });
});

test("entries are there after a restart", async () => {
  const path = join(t.dataDir, "kept.jsonl");
  const first = await createTestHarness({ services: [createLog(path)] });
  await first.json("/log", { auth: true, body: { text: "kept" } });
  await first.cleanup();
  const second = await createTestHarness({ services: [createLog(path)] });
  expect(texts((await second.json("/log", { auth: true })).data)).toEqual(["kept"]);
  await second.cleanup();
});
