import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { createTestHarness } from "../../../src/core/testing.js";
import { createTestAgent, type TestAgent } from "../../../src/core/testing-agent.js";
import type { Json } from "../../../src/core/types.js";
import { registerBehaviors } from "./behaviors.js";
import { createBoard } from "./index.js";
import type { Task } from "./task.js";

const board = createBoard();
const t = await createTestHarness({ services: [board] });
afterAll(() => t.cleanup());

let agent: TestAgent;
beforeEach(async () => {
  agent = createTestAgent(t, [board], { name: "ada" });
  const { tasks } = await agent.client.api("GET", "/board/tasks");
  for (const { id } of tasks) await agent.client.api("DELETE", `/board/tasks/${id}`);
});

/** Calls a tool that must succeed and returns what the server replied. */
async function call(tool: string, params: Record<string, unknown>): Promise<Json> {
  const result = await agent.call(tool, params);
  expect(result).not.toHaveProperty("isError");
  expect(JSON.parse(result.content[0]?.text ?? "")).toEqual(result.details.result);
  return result.details.result;
}

const newTask = (fields: Record<string, unknown> = {}): Promise<Task> =>
  call("board_create_task", { title: "Paint", ...fields });

describe("tools", () => {
  test("carry a task from its creation to its approval under the agent's name", async () => {
    const { id, createdBy, tags } = await newTask({ description: "All of it", tags: ["red"] });
    expect([createdBy, tags]).toEqual(["ada", ["red"]]);
    const taken = await call("board_update_task", { id, assignee: "ada", status: "in_progress" });
    expect([taken.assignee, taken.status]).toEqual(["ada", "in_progress"]);
    expect(await call("board_add_note", { id, content: "Half done" })).toMatchObject({ author: "ada" });
    const artifact = { type: "url", url: "http://a" };
    const { artifacts } = await call("board_add_artifacts", { id, artifacts: [artifact] });
    expect(artifacts).toEqual([{ ...artifact, addedBy: "ada", addedAt: expect.any(String) }]);
    expect((await call("board_bump_task", { id })).score).toBe(1);
    const submitted = await call("board_submit_for_review", { id, summary: "Look" });
    expect(submitted.status).toBe("in_review");
    const rejected = await call("board_reject_task", { id, reason: "Too red" });
    expect(rejected.status).toBe("in_progress");
    await call("board_submit_for_review", { id, summary: "Look again", artifacts: [artifact] });
    const approved = await call("board_approve_task", { id, comment: "Fine" });
    expect(approved.status).toBe("done");
    const { notes } = await call("board_get_task", { id });
    expect(notes.map((note: { author: string; content: string }) => [note.author, note.content])).toEqual([
      ["ada", "Half done"],
      ["ada", "Look"],
      ["ada", "Too red"],
      ["ada", "Look again"],
      ["ada", "Fine"],
    ]);
  });

  test("list tasks one a line, and say how many more there are", async () => {
    expect((await agent.call("board_list_tasks")).content[0]?.text).toBe("No tasks.");
    const first = await newTask({ title: "First", assignee: "bob", tags: ["red", "wet"] });
    const second = await newTask({ title: "Second" });
    await call("board_bump_task", { id: second.id });
    const all = await agent.call("board_list_tasks");
    expect(all.content[0]?.text).toBe(
      `${second.id} [open] Second +1\n${first.id} [open] First @bob #red #wet`,
    );
    expect(all.details).toMatchObject({ tasks: [{ title: "Second" }, { title: "First" }], total: 2 });
    const limited = await agent.call("board_list_tasks", { limit: 1 });
    expect(limited.content[0]?.text).toBe(`${second.id} [open] Second +1\n(1 more)`);
    const filtered = await agent.call("board_list_tasks", { tag: "wet", assignee: "bob", status: "open" });
    expect(filtered.details.total).toBe(1);
  });

  test("report what the server refused", async () => {
    const { id } = await newTask();
    const refused: Array<[string, Record<string, unknown>, string]> = [
      ["board_create_task", { title: " " }, "POST /board/tasks (400): title must be a string"],
      ["board_get_task", { id: `${id}/notes` }, "(404): there is no task with the id"],
      ["board_approve_task", { id }, "(409): only a task in review can be approved"],
      ["board_list_tasks", { limit: 99_999 }, "(400): limit must be"],
      ["board_list_tasks", { offset: 1e300 }, "(400): offset must be"],
    ];
    for (const [tool, params, message] of refused) {
      const result = await agent.call(tool, params);
      expect(result.isError).toBe(true);
      expect(result.content[0]?.text).toContain(message);
    }
  });

  test("say so where there is no control plane", async () => {
    const alone = createTestAgent(t, [board], { connected: false });
    for (const tool of ["board_list_tasks", "board_get_task"]) {
      const result = await alone.call(tool, tool === "board_get_task" ? { id: "a" } : {});
      expect(result.isError).toBe(true);
      expect(result.content[0]?.text).toContain("VERS_INFRA_URL is not set");
    }
  });

  test("have names that every model provider accepts, and describe each parameter", () => {
    expect(agent.tools.size).toBe(10);
    for (const { name, description, parameters } of agent.tools.values()) {
      expect(name).toMatch(/^board_[a-z_]{1,58}$/);
      expect(description.length).toBeGreaterThan(40);
      for (const field of Object.values<{ description?: string }>(parameters.properties)) {
        expect(field.description).toBeString();
      }
    }
  });
});

describe("behaviours", () => {
  const told = async () => (await agent.raise("before_agent_start", { prompt: "go" }))[0]?.message?.content;

  test("tell an agent about its unfinished tasks once, and again when they change", async () => {
    expect(await told()).toBeUndefined();
    await newTask({ title: "Somebody else's", assignee: "bob" });
    expect(await told()).toBeUndefined();
    const { id } = await newTask({ title: "Mine", assignee: "ada" });
    expect(await told()).toBe(`Your tasks on the board:\n- Mine (open, id ${id})`);
    expect(await told()).toBeUndefined();
    await agent.raise("session_start");
    expect(await told()).toContain("Mine");
    await call("board_submit_for_review", { id, summary: "Look" });
    expect(await told()).toBe("You have no more unfinished tasks on the board.");
    expect(await told()).toBeUndefined();
  });

  test("leave an agent alone when the board fails, hangs or is not there", async () => {
    const hanging = () => new Promise<Response>(() => undefined);
    const failing = async () => Response.json({ error: "no" }, { status: 500 });
    for (const options of [{ fetch: failing }, { connected: false }]) {
      const other = createTestAgent(t, [board], options);
      expect(await other.raise("before_agent_start")).toEqual([undefined]);
    }
    const impatient = {
      name: "board",
      registerBehaviors: (pi: Json, c: Json) => registerBehaviors(pi, c, 1),
    };
    const waiting = createTestAgent(t, [impatient], { fetch: hanging });
    expect(await waiting.raise("before_agent_start")).toEqual([undefined]);
  });
});

describe("widget", () => {
  test("is one line of counts", async () => {
    await newTask();
    const { id } = await newTask();
    await call("board_update_task", { id, status: "in_progress" });
    expect(await board.widget?.getLines(agent.client)).toEqual([
      "board: 1 open · 1 in progress · 0 blocked · 0 in review",
    ]);
  });

  test("is empty where there is no control plane", async () => {
    const alone = createTestAgent(t, [board], { connected: false });
    expect(await board.widget?.getLines(alone.client)).toEqual([]);
  });
});
