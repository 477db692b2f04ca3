import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestHarness, type TestHarness } from "../../../src/core/testing.js";
import { createBoard } from "./index.js";
import type { Task } from "./task.js";

describe("lists", () => {
  let own: TestHarness;
  const titles = async (query: string) => {
    const { data } = await own.json(`/board/tasks${query}`, { auth: true });
    expect(data.count).toBe(data.tasks.length);
    return data.tasks.map((task: Task) => task.title).join("");
  };

  beforeAll(async () => {
    own = await createTestHarness({ services: [createBoard()] });
    const create = (fields: Record<string, unknown>) =>
      own.json("/board/tasks", { auth: true, body: { createdBy: "ada", ...fields } });
    await create({ title: "A", assignee: "bob", tags: ["x", "y"] });
    await create({ title: "B", status: "in_progress", assignee: "bob" });
    await create({ title: "C", createdBy: "eve", tags: ["x"] });
    const { data } = await create({ title: "D", tags: ["100%", "y"] });
    await own.json(`/board/tasks/${data.id}/bump`, { method: "POST", auth: true });
  });
  afterAll(() => own.cleanup());

  const cases: Array<[string, string]> = [
    ["", "DABC"],
    ["?status=open", "DAC"],
    ["?status=done", ""],
    ["?assignee=bob", "AB"],
    ["?assignee=bob&status=in_progress", "B"],
    ["?assignee=%27%20OR%201=1--", ""],
    ["?tag=x", "AC"],
    ["?tag=100%25", "D"],
    ["?tag=X", ""],
    ["?tag=y&assignee=bob", "A"],
    ["?createdBy=eve", "C"],
    ["?limit=2", "DA"],
    ["?limit=2&offset=1", "AB"],
    ["?offset=3", "C"],
    ["?offset=9", ""],
    ["?offset=9007199254740991", ""],
  ];
  test.each(cases)("GET /board/tasks%s", async (query, expected) => {
    expect(await titles(query)).toBe(expected);
  });

  test("total counts what the limit leaves out", async () => {
    const { data } = await own.json("/board/tasks?limit=1&status=open", { auth: true });
    expect([data.count, data.total]).toEqual([1, 3]);
  });

  test("GET /board/summary counts by status", async () => {
    const { data } = await own.json("/board/summary", { auth: true });
    expect(data).toEqual({
      counts: { open: 3, in_progress: 1, blocked: 0, in_review: 0, done: 0 },
      count: 4,
    });
  });

  test("notes and artifacts have lists of their own", async () => {
    const { data: task } = await own.json("/board/tasks", {
      auth: true,
      body: { title: "E", createdBy: "a" },
    });
    const path = `/board/tasks/${task.id}`;
    await own.json(`${path}/notes`, { auth: true, body: { content: "one" } });
    await own.json(`${path}/notes`, { auth: true, body: { content: "two" } });
    await own.json(`${path}/artifacts`, { auth: true, body: { artifacts: [{ type: "file", url: "a" }] } });
    const notes = (await own.json(`${path}/notes`, { auth: true })).data;
    const artifacts = (await own.json(`${path}/artifacts`, { auth: true })).data;
    const whole = (await own.json(path, { auth: true })).data;
    expect(notes).toEqual({ notes: whole.notes, count: 2 });
    expect(notes.notes.map((note: { content: string }) => note.content)).toEqual(["one", "two"]);
    expect(artifacts).toEqual({ artifacts: whole.artifacts, count: 1 });
  });
});
