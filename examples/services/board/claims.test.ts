import { afterAll, describe, expect, test } from "bun:test";
import { createTestAgent } from "../../../src/core/testing-agent.js";
import { createBoardHarness } from "./board-harness.js";
import { createBoard } from "./index.js";

const { t, heard, send, newTask } = await createBoardHarness();
afterAll(() => t.cleanup());

const AGENTS = ["ada", "bob", "eve"];
const claim = (id: string, assignee: string, ifAssignee: unknown = [null, assignee]) =>
  send("PATCH", `/tasks/${id}`, { status: "in_progress", assignee, ifAssignee });
const assigneeOf = async (id: string) => (await send("GET", `/tasks/${id}`)).data.assignee;

describe("a change that says whose the task must be", () => {
  test("of three claims at once one succeeds, and the others learn who has the task", async () => {
    const { id } = await newTask();
    const replies = await Promise.all(AGENTS.map((name) => claim(id, name)));
    const winners = AGENTS.filter((_name, at) => replies[at]?.status === 200);
    expect(winners).toHaveLength(1);
    expect(await assigneeOf(id)).toBe(winners[0]);
    for (const { status, data } of replies.filter((reply) => reply.status !== 200)) {
      expect([status, data]).toEqual([409, { error: `the task is assigned to "${winners[0]}"` }]);
    }
  });

  test("goes through for those it names, and for nobody when it names null", async () => {
    const { id } = await newTask({ assignee: "ada" });
    expect((await claim(id, "bob")).status).toBe(409);
    expect((await claim(id, "ada")).status).toBe(200);
    expect((await claim(id, "ada")).status).toBe(200);
    expect((await claim(id, "bob", ["ada"])).status).toBe(200);
    expect((await send("PATCH", `/tasks/${id}`, { assignee: null, ifAssignee: ["bob"] })).status).toBe(200);
    expect((await claim(id, "eve", ["bob"])).data.error).toBe("the task is assigned to nobody");
    expect((await claim(id, "eve")).status).toBe(200);
  });

  test("changes and announces nothing when it is refused, and is no field of the task", async () => {
    const { id, updatedAt } = await newTask({ assignee: "ada" });
    await claim(id, "bob");
    expect(heard).toEqual([]);
    expect((await send("GET", `/tasks/${id}`)).data.updatedAt).toBe(updatedAt);
    expect((await claim(id, "ada")).data).not.toHaveProperty("ifAssignee");
    expect(heard.find(([event]) => event === "reef:event")?.[1].content).toContain(
      "changed status, assignee of",
    );
  });

  test("needs something to change, and names", async () => {
    const { id } = await newTask();
    const alone = await send("PATCH", `/tasks/${id}`, { ifAssignee: [null] });
    expect([alone.status, alone.data.error]).toEqual([400, expect.stringContaining("nothing to change")]);
    for (const wrong of [null, "ada", [], [""], [5]]) {
      const { status, data } = await claim(id, "ada", wrong);
      expect([status, data.error]).toEqual([400, expect.stringContaining("ifAssignee")]);
    }
  });

  test("is not needed: without it a task is given to whomever the change names", async () => {
    const { id } = await newTask({ assignee: "ada" });
    const { status } = await send("PATCH", `/tasks/${id}`, { status: "in_progress", assignee: "bob" });
    expect([status, await assigneeOf(id)]).toEqual([200, "bob"]);
  });
});

describe("agents that take a task with the tool", () => {
  const board = createBoard();
  const agents = AGENTS.map((name) => ({ name, agent: createTestAgent(t, [board], { name }) }));
  const update = (name: string, params: Record<string, unknown>) =>
    (agents.find((one) => one.name === name) ?? agents[0])?.agent.call("board_update_task", params);

  test("do not take it from one another: of three at once one has it", async () => {
    const { id } = await newTask();
    const results = await Promise.all(
      AGENTS.map((assignee) => update(assignee, { id, status: "in_progress", assignee })),
    );
    const winners = AGENTS.filter((_name, at) => !results[at]?.isError);
    expect(winners).toHaveLength(1);
    expect(await assigneeOf(id)).toBe(winners[0]);
    for (const result of results.filter((one) => one?.isError)) {
      expect(result?.content[0]?.text).toContain(`(409): the task is assigned to "${winners[0]}"`);
    }
  });

  test("do not take it by its assignee alone either", async () => {
    const { id } = await newTask({ assignee: "ada" });
    expect((await update("bob", { id, assignee: "bob" }))?.isError).toBe(true);
    expect(await assigneeOf(id)).toBe("ada");
  });

  test("hand on what is their own, and take over what is not when they say so", async () => {
    const { id } = await newTask({ assignee: "ada" });
    expect((await update("ada", { id, assignee: "bob" }))?.isError).toBeUndefined();
    expect((await update("ada", { id, assignee: "eve" }))?.isError).toBe(true);
    expect((await update("ada", { id, assignee: "eve", takeOver: true }))?.isError).toBeUndefined();
    expect(await assigneeOf(id)).toBe("eve");
  });

  test("change everything else whoever has the task", async () => {
    const { id } = await newTask({ assignee: "ada" });
    expect((await update("bob", { id, status: "blocked", tags: ["urgent"] }))?.isError).toBeUndefined();
    expect(await assigneeOf(id)).toBe("ada");
  });
});
