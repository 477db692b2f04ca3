import { afterAll, describe, expect, setSystemTime, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestHarness, type TestHarness } from "../../../src/core/testing.js";
import { createBoard } from "../board/index.js";
import type { Task } from "../board/task.js";
import { createReports } from "./index.js";
import { ReportStore } from "./store.js";

const folder = mkdtempSync(join(tmpdir(), "reports-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (...names: string[]) => {
  const all = {
    board: () => createBoard(join(folder, "board.db")),
    reports: () => createReports(join(folder, "reports.db")),
  };
  return createTestHarness({ services: names.map((name) => all[name as keyof typeof all]()) });
};

async function create(t: TestHarness, fields: Record<string, unknown> = {}): Promise<Task> {
  const body = { title: "Paint", createdBy: "ada", ...fields };
  return (await t.json("/board/tasks", { auth: true, body })).data;
}

const patch = (t: TestHarness, id: string, body: unknown) =>
  t.json(`/board/tasks/${id}`, { method: "PATCH", auth: true, body });
const remove = (t: TestHarness, id: string) => t.json(`/board/tasks/${id}`, { method: "DELETE", auth: true });
const get = async (t: TestHarness, path = "") => (await t.json(`/reports${path}`, { auth: true })).data;

test("follow the board, and make up for what happened while they were away", async () => {
  let t = await start("board", "reports");
  const today = new Date().toISOString().slice(0, 10);
  const first = await create(t, { assignee: "bob" });
  const second = await create(t, { assignee: "bob" });
  const third = await create(t, { assignee: "eve" });
  await patch(t, first.id, { status: "done" });
  expect(await get(t)).toEqual({ created: 3, done: 1, deleted: 0, meanLeadSeconds: expect.any(Number) });
  const { days, count } = await get(t, "/days?days=3");
  expect(count).toBe(3);
  if (days[2].date === today) expect(days[2]).toEqual({ date: today, created: 3, done: 1 });
  await patch(t, first.id, { status: "open" });
  expect(await get(t)).toEqual({ created: 3, done: 0, deleted: 0, meanLeadSeconds: null });
  await patch(t, first.id, { status: "done" });
  await remove(t, first.id);
  await t.cleanup();

  t = await start("board");
  await patch(t, second.id, { status: "done" });
  await remove(t, third.id);
  await create(t);
  await t.cleanup();

  t = await start("board", "reports");
  expect(await get(t)).toMatchObject({ created: 4, done: 2, deleted: 2 });
  expect(await get(t, "/assignees")).toEqual({
    assignees: [
      { assignee: "bob", done: 2, unfinished: 0, meanLeadSeconds: expect.any(Number) },
      { assignee: "eve", done: 0, unfinished: 0, meanLeadSeconds: null },
    ],
    count: 2,
  });
  await t.cleanup();
});

test("hear of what is done while the clock is set back", async () => {
  const t = await start("board", "reports");
  const { done } = await get(t);
  const task = await create(t, { assignee: "kim" });
  try {
    setSystemTime(Date.now() - 60_000);
    const { data } = await patch(t, task.id, { status: "done" });
    expect(data.updatedAt >= task.updatedAt).toBe(true);
  } finally {
    setSystemTime();
  }
  expect((await get(t)).done).toBe(done + 1);
  await t.cleanup();
});

test("need the board", async () => {
  await expect(start("reports")).rejects.toThrow('Missing dependency "board"');
});

describe("requests", () => {
  const cases: Array<[string, number, unknown]> = [
    ["/days", 200, 14],
    ["/days?days=1", 200, 1],
    ["/days?days=366", 200, 366],
    ["/days?days=0", 400, "days must be a whole number from 1 to 366, not 0"],
    ["/days?weeks=1", 400, "weeks is not a known field; known: days"],
  ];
  test.each(cases)("GET /reports%s: %d", async (path, status, expected) => {
    const t = await createTestHarness({ services: [createBoard(), createReports()] });
    const reply = await t.json(`/reports${path}`, { auth: true });
    const refused = await t.json(`/reports${path}`);
    await t.cleanup();
    expect(reply.status).toBe(status);
    expect(status === 200 ? reply.data.days.length : reply.data.error).toBe(expected);
    expect(refused.status).toBe(401);
  });
});

describe("ReportStore", () => {
  const task = (id: string, createdAt: string, fields: Partial<Task> = {}): Task => ({
    id,
    title: id,
    status: "open",
    tags: [],
    dependencies: [],
    createdBy: "ada",
    createdAt,
    updatedAt: createdAt,
    notes: [],
    artifacts: [],
    score: 0,
    ...fields,
  });
  const openStore = (name: string): ReportStore => {
    const store = new ReportStore(join(folder, name));
    store.open();
    return store;
  };

  test("counts each task on the days of its creation and its completion", () => {
    const store = openStore("days.db");
    store.record(task("a", "2026-02-27T00:00:00.000Z"));
    store.record(
      task("b", "2026-02-27T23:59:59.999Z", { status: "done", updatedAt: "2026-03-01T00:00:00.000Z" }),
    );
    store.record(task("c", "2026-01-01T00:00:00.000Z"));
    expect(store.days(3, new Date("2026-03-01T12:00:00Z"))).toEqual([
      { date: "2026-02-27", created: 2, done: 0 },
      { date: "2026-02-28", created: 0, done: 0 },
      { date: "2026-03-01", created: 0, done: 1 },
    ]);
    store.close();
  });

  test("measures from creation to completion; later changes of a done task do not count", () => {
    const store = openStore("lead.db");
    const done = { status: "done", assignee: "bob" } as const;
    store.record(task("a", "2026-01-01T00:00:00.000Z", { ...done, updatedAt: "2026-01-01T00:00:10.000Z" }));
    store.record(task("a", "2026-01-01T00:00:00.000Z", { ...done, updatedAt: "2026-01-01T01:00:00.000Z" }));
    store.record(task("b", "2026-01-01T00:00:00.000Z", { ...done, updatedAt: "2026-01-01T00:00:30.000Z" }));
    expect(store.totals().meanLeadSeconds).toBeCloseTo(20, 2);
    expect(store.assignees()[0]?.meanLeadSeconds).toBeCloseTo(20, 2);
    store.close();
  });

  test("is not misled by old news", () => {
    const store = openStore("old.db");
    const done = task("a", "2026-01-01T00:00:00.000Z", {
      status: "done",
      updatedAt: "2026-01-02T00:00:00.000Z",
    });
    store.record(done);
    store.record(task("a", "2026-01-01T00:00:00.000Z"));
    expect(store.totals()).toMatchObject({ created: 1, done: 1 });
    store.recordDeletion("a");
    store.record({ ...done, status: "open", updatedAt: "2026-01-03T00:00:00.000Z" });
    expect(store.totals()).toMatchObject({ created: 1, done: 1, deleted: 1 });
    store.close();
  });
});
