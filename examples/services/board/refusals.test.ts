import { afterAll, describe, expect, test } from "bun:test";
import { createBoardHarness } from "./board-harness.js";

const { t, heard, send, newTask } = await createBoardHarness();
afterAll(() => t.cleanup());

describe("refused requests", () => {
  const base = { title: "Paint", createdBy: "ada" };
  const cases: Array<[string, string, string, unknown, string]> = [
    ["nothing", "POST", "/tasks", undefined, "title is required: a string of at most 200 characters"],
    ["no creator", "POST", "/tasks", { title: "a" }, "createdBy is required"],
    ["a blank title", "POST", "/tasks", { ...base, title: " " }, "title must be a string"],
    [
      "a title that is too long",
      "POST",
      "/tasks",
      { ...base, title: "x".repeat(201) },
      "title must be a string of at most 200",
    ],
    [
      "a wrong type",
      "POST",
      "/tasks",
      { ...base, description: 5 },
      "description must be a string of at most 20000 characters, not 5",
    ],
    ["an unknown field", "POST", "/tasks", { ...base, colour: "red" }, "colour is not a known field"],
    ["a field of the server's", "POST", "/tasks", { ...base, score: 99 }, "score is not a known field"],
    [
      "an unknown status",
      "POST",
      "/tasks",
      { ...base, status: "lost" },
      'status must be one of "open", "in_progress", "blocked", not "lost"',
    ],
    ["a status that must be reached", "POST", "/tasks", { ...base, status: "done" }, "status must be one of"],
    [
      "tags that are no array",
      "POST",
      "/tasks",
      { ...base, tags: "red" },
      'tags must be an array of at most 50 items without duplicates, not "red"',
    ],
    ["a tag of a wrong type", "POST", "/tasks", { ...base, tags: ["a", 1] }, "tags[1] must be a string"],
    ["a tag twice", "POST", "/tasks", { ...base, tags: ["a", "a"] }, "tags must be an array"],
    ["broken JSON", "POST", "/tasks", "{title:", "the request body is not valid JSON"],
    ["an array", "POST", "/tasks", [base], "the request body must be an object"],
    ["null", "POST", "/tasks", "null", "the request body must be an object, not null"],
    [
      "an empty change",
      "PATCH",
      "/tasks/:id",
      {},
      "the request body must be an object with at least 1 of: title",
    ],
    [
      "a change of the creator",
      "PATCH",
      "/tasks/:id",
      { createdBy: "eve" },
      "createdBy is not a known field",
    ],
    ["a change to no title", "PATCH", "/tasks/:id", { title: null }, "title must be a string"],
    ["an empty note", "POST", "/tasks/:id/notes", { content: "" }, "content must be a string"],
    [
      "an unknown kind of note",
      "POST",
      "/tasks/:id/notes",
      { content: "a", type: "rant" },
      'type must be one of "update"',
    ],
    [
      "no artifacts",
      "POST",
      "/tasks/:id/artifacts",
      { artifacts: [] },
      "artifacts must be an array of 1 to 50 items",
    ],
    [
      "an artifact without a place",
      "POST",
      "/tasks/:id/artifacts",
      { artifacts: [{ type: "url" }] },
      "artifacts[0].url is required",
    ],
    ["a rejection without a reason", "POST", "/tasks/:id/reject", {}, "reason is required"],
    [
      "an unknown field of an approval",
      "POST",
      "/tasks/:id/approve",
      { by: "eve" },
      "by is not a known field",
    ],
    [
      "an unknown filter",
      "GET",
      "/tasks?asignee=bob",
      undefined,
      "asignee is not a known field; known: status, assignee",
    ],
    ["an unknown status filter", "GET", "/tasks?status=lost", undefined, "status must be one of"],
    [
      "a limit of nothing",
      "GET",
      "/tasks?limit=0",
      undefined,
      "limit must be a whole number from 1 to 10000, not 0",
    ],
    [
      "an offset beyond what SQLite counts",
      "GET",
      "/tasks?offset=9223372036854775807",
      undefined,
      "offset must be a whole number from 0 to 9007199254740991, not",
    ],
    [
      "an offset beyond all numbers",
      "GET",
      "/tasks?offset=1e400",
      undefined,
      "offset must be a whole number",
    ],
  ];
  test.each(cases)("%s: 400", async (_name, method, path, body, error) => {
    const task = await newTask();
    const { total } = (await send("GET", "/tasks")).data;
    const reply = await send(method, path.replace(":id", task.id), body);
    expect(reply.status).toBe(400);
    expect(reply.data.error).toContain(error);
    expect((await send("GET", `/tasks/${task.id}`)).data).toEqual(task);
    expect((await send("GET", "/tasks")).data.total).toBe(total);
    expect(heard).toEqual([]);
  });

  const routes: Array<[string, string, unknown]> = [
    ["GET", "", undefined],
    ["PATCH", "", { title: "a" }],
    ["DELETE", "", undefined],
    ["POST", "/bump", undefined],
    ["GET", "/notes", undefined],
    ["POST", "/notes", { content: "a" }],
    ["GET", "/artifacts", undefined],
    ["POST", "/artifacts", { artifacts: [{ type: "url", url: "a" }] }],
    ["POST", "/review", undefined],
    ["POST", "/approve", undefined],
    ["POST", "/reject", { reason: "a" }],
  ];
  test.each(routes)(
    "%s /board/tasks/<unknown>%s: 404, and 401 without the token",
    async (method, rest, body) => {
      heard.length = 0;
      const path = `/board/tasks/0000${rest}`;
      const { status, data } = await t.json(path, { method, auth: true, body });
      expect([status, data]).toEqual([404, { error: 'there is no task with the id "0000"' }]);
      expect((await t.json(path, { method, body })).status).toBe(401);
      expect(heard).toEqual([]);
    },
  );

  test("unknown paths: 404 in JSON", async () => {
    for (const path of ["/board", "/board/nothing", "/board/tasks/a/b/c"]) {
      const { status, data } = await t.json(path, { auth: true });
      expect([status, typeof data.error]).toEqual([404, "string"]);
    }
  });
});
