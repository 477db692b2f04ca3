import { afterAll, describe, expect, test } from "bun:test";
import { createBoardHarness } from "./board-harness.js";
import type { Status, Task } from "./task.js";

const { t, heard, send, newTask, taskIn } = await createBoardHarness();
afterAll(() => t.cleanup());

/** Each entry: what happens, the request (`:id` is a task's), what comes back, the tree event's text. */
type Scenario = [
  name: string,
  from: Status,
  request: [method: string, path: string, body?: unknown],
  status: number,
  reply: Record<string, unknown>,
  event: [name: string, content: string],
];

const changes: Scenario[] = [
  [
    "PATCH changes what is given",
    "open",
    ["PATCH", "", { title: "Paint it", tags: ["red"] }],
    200,
    { title: "Paint it", tags: ["red"], status: "open", createdBy: "ada" },
    ["updated", 'test changed title, tags of "Paint it" (open)'],
  ],
  [
    "PATCH sets the status",
    "open",
    ["PATCH", "", { status: "in_progress", assignee: "bob" }],
    200,
    { status: "in_progress", assignee: "bob" },
    ["updated", 'test changed status, assignee of "Paint" (in_progress)'],
  ],
  [
    "PATCH may repeat the status",
    "in_review",
    ["PATCH", "", { status: "in_review" }],
    200,
    { status: "in_review" },
    ["updated", 'test changed status of "Paint" (in_review)'],
  ],
  [
    "PATCH reopens what is done",
    "done",
    ["PATCH", "", { status: "open" }],
    200,
    { status: "open" },
    ["updated", 'test changed status of "Paint" (open)'],
  ],
  [
    "bump raises the score",
    "open",
    ["POST", "/bump"],
    200,
    { score: 1 },
    ["updated", 'test bumped "Paint" (open)'],
  ],
  [
    "notes are added",
    "open",
    ["POST", "/notes", { content: "Half done", type: "finding", author: "bob" }],
    201,
    { content: "Half done", type: "finding", author: "bob" },
    ["updated", 'bob added a note to "Paint" (open)'],
  ],
  [
    "notes are updates by the caller unless said otherwise",
    "open",
    ["POST", "/notes", { content: "Hm" }],
    201,
    { content: "Hm", type: "update", author: "test" },
    ["updated", 'test added a note to "Paint" (open)'],
  ],
  [
    "artifacts are added",
    "open",
    ["POST", "/artifacts", { artifacts: [{ type: "branch", url: "red" }], addedBy: "bob" }],
    201,
    { artifacts: [{ type: "branch", url: "red", addedBy: "bob", addedAt: expect.any(String) }] },
    ["updated", 'bob added artifacts to "Paint" (open)'],
  ],
  [
    "a task is submitted for review",
    "in_progress",
    [
      "POST",
      "/review",
      {
        summary: "It is red",
        artifacts: [{ type: "url", url: "http://a", label: "Photo" }],
        submittedBy: "bob",
      },
    ],
    200,
    {
      status: "in_review",
      artifacts: [
        { type: "url", url: "http://a", label: "Photo", addedBy: "bob", addedAt: expect.any(String) },
      ],
      notes: [
        {
          id: expect.any(String),
          author: "bob",
          content: "It is red",
          type: "review",
          createdAt: expect.any(String),
        },
      ],
    },
    ["updated", 'bob submitted for review "Paint" (in_review)'],
  ],
  [
    "a task is submitted without further words",
    "blocked",
    ["POST", "/review"],
    200,
    { status: "in_review", notes: [], artifacts: [] },
    ["updated", 'test submitted for review "Paint" (in_review)'],
  ],
  [
    "a review is approved",
    "in_review",
    ["POST", "/approve", { comment: "Fine", approvedBy: "eve" }],
    200,
    { status: "done", notes: [expect.objectContaining({ author: "eve", content: "Fine", type: "review" })] },
    ["updated", 'eve approved "Paint" (done)'],
  ],
  [
    "a review is approved without further words",
    "in_review",
    ["POST", "/approve"],
    200,
    { status: "done", notes: [] },
    ["updated", 'test approved "Paint" (done)'],
  ],
  [
    "a review is rejected",
    "in_review",
    ["POST", "/reject", { reason: "It is pink", rejectedBy: "eve" }],
    200,
    {
      status: "open",
      notes: [expect.objectContaining({ author: "eve", content: "It is pink", type: "review" })],
    },
    ["updated", 'eve rejected "Paint" (open)'],
  ],
  [
    "DELETE removes the task",
    "open",
    ["DELETE", ""],
    200,
    { deleted: true },
    ["deleted", 'test deleted "Paint"'],
  ],
];

describe("changes", () => {
  test("are by one agent, whatever letters its name has", async () => {
    const { id } = await newTask();
    const header = { "x-reef-agent-name": "J%C3%BCrgen" };
    const got = await send("POST", `/tasks/${id}/notes`, { content: "Hm" }, header);
    expect(got.data).toMatchObject({ author: "Jürgen" });
  });

  test.each(changes)("%s", async (_name, from, [method, rest, body], status, reply, [event, content]) => {
    const task = await taskIn(from);
    const got = await send(method, `/tasks/${task.id}${rest}`, body, { "x-reef-agent-name": "test" });
    expect(got.status).toBe(status);
    expect(got.data).toMatchObject(reply);
    const [internal, shown] = heard;
    expect(heard).toHaveLength(2);
    expect(internal?.[0]).toBe(`board:task_${event}`);
    expect(internal?.[1].task.id).toBe(task.id);
    expect(shown?.[0]).toBe("reef:event");
    expect(shown?.[1]).toMatchObject({ type: `task_${event}`, source: "board", content });
    if (event === "updated") {
      const now = (await send("GET", `/tasks/${task.id}`)).data;
      expect(internal?.[1]).toEqual({ task: now, previous: task });
      expect(now.updatedAt >= task.updatedAt && now.createdAt === task.createdAt).toBe(true);
    }
  });

  test("creating answers with the whole task and announces it", async () => {
    heard.length = 0;
    const needed = await newTask();
    const fields = {
      title: "Paint",
      createdBy: "ada",
      description: "All of it",
      status: "blocked",
      assignee: "bob",
      tags: ["red", "wet"],
      dependencies: [needed.id],
    };
    const { status, data } = await send("POST", "/tasks", fields);
    expect(status).toBe(201);
    expect(data).toEqual({
      ...fields,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      updatedAt: data.createdAt,
      notes: [],
      artifacts: [],
      score: 0,
    });
    expect(heard).toEqual([
      ["board:task_created", { task: data }],
      [
        "reef:event",
        expect.objectContaining({
          type: "task_created",
          source: "board",
          content: 'ada created "Paint"',
          metadata: { taskId: data.id, status: "blocked", assignee: "bob" },
        }),
      ],
    ]);
    expect((await send("GET", `/tasks/${data.id}`)).data).toEqual(data);
  });

  test("null clears a description and an assignee", async () => {
    const task = await newTask({ description: "All of it", assignee: "bob" });
    const { data } = await send("PATCH", `/tasks/${task.id}`, { description: null, assignee: null });
    expect(data).not.toHaveProperty("description");
    expect(data).not.toHaveProperty("assignee");
  });

  test("a rejected task goes back to its assignee", async () => {
    const task = await taskIn("in_review", { assignee: "bob" });
    const { data } = await send("POST", `/tasks/${task.id}/reject`, { reason: "It is pink" });
    expect(data.status).toBe("in_progress");
  });

  test("changes that arrive together are all kept", async () => {
    const { id } = await newTask();
    await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        n % 2 ? send("POST", `/tasks/${id}/bump`) : send("POST", `/tasks/${id}/notes`, { content: `${n}` }),
      ),
    );
    const { data } = await send("GET", `/tasks/${id}`);
    expect(data.score).toBe(25);
    expect(data.notes).toHaveLength(25);
    expect(heard.filter(([event]) => event === "board:task_updated")).toHaveLength(50);
  });

  test("a task is reached by nothing but its id", async () => {
    for (const id of ["%27%20OR%201=1", "..%2Ftasks", "%E0%A4%A", "__proto__"]) {
      expect((await send("GET", `/tasks/${id}`)).status).toBe(404);
    }
  });
});

describe("status changes by PATCH", () => {
  const legal: Record<Status, Status[]> = {
    open: ["open", "in_progress", "blocked", "in_review", "done"],
    in_progress: ["open", "in_progress", "blocked", "in_review", "done"],
    blocked: ["open", "in_progress", "blocked", "in_review", "done"],
    in_review: ["open", "in_progress", "blocked", "in_review"],
    done: ["open", "in_progress", "done"],
  };
  const all = Object.keys(legal) as Status[];
  const cases = all.flatMap((from) =>
    all.map((to) => [from, to, legal[from].includes(to) ? 200 : 409] as const),
  );
  test.each(cases)("from %s to %s: %d", async (from, to, expected) => {
    const task = await taskIn(from);
    const { status, data } = await send("PATCH", `/tasks/${task.id}`, { status: to, title: "New" });
    expect(status).toBe(expected);
    const now = (await send("GET", `/tasks/${task.id}`)).data;
    if (expected === 200) expect(now).toMatchObject({ status: to, title: "New" });
    else {
      expect(data.error).toContain(`a task that is ${from} cannot become ${to}`);
      expect(now).toEqual(task);
      expect(heard).toEqual([]);
    }
  });
});

describe("reviews", () => {
  const conflicts: Array<[Status, string, unknown, string]> = [
    ["in_review", "review", {}, "a task that is in_review cannot be submitted for review"],
    ["done", "review", {}, "a task that is done cannot be submitted for review"],
    ["open", "approve", {}, "only a task in review can be approved; this one is open"],
    ["done", "approve", {}, "only a task in review can be approved; this one is done"],
    [
      "in_progress",
      "reject",
      { reason: "No" },
      "only a task in review can be rejected; this one is in_progress",
    ],
  ];
  test.each(conflicts)("%s task, %s: 409", async (from, verb, body, error) => {
    const task = await taskIn(from);
    const reply = await send("POST", `/tasks/${task.id}/${verb}`, body);
    expect([reply.status, reply.data]).toEqual([409, { error }]);
    expect((await send("GET", `/tasks/${task.id}`)).data).toEqual(task);
    expect(heard).toEqual([]);
  });

  test("GET /board/review lists what is in review", async () => {
    const inReview = await taskIn("in_review");
    const done = await taskIn("done");
    const { status, data } = await send("GET", "/review");
    const ids = data.tasks.map((task: Task) => task.id);
    expect(status).toBe(200);
    expect(ids).toContain(inReview.id);
    expect(ids).not.toContain(done.id);
    expect(data.count).toBe(ids.length);
  });
});

describe("dependencies", () => {
  test("a task that others depend on cannot be deleted before them", async () => {
    const needed = await newTask();
    const dependent = await newTask({ dependencies: [needed.id] });
    const refused = await send("DELETE", `/tasks/${needed.id}`);
    expect([refused.status, refused.data.error]).toEqual([
      409,
      `other tasks depend on this one: ${dependent.id}`,
    ]);
    await send("PATCH", `/tasks/${dependent.id}`, { dependencies: [] });
    expect((await send("DELETE", `/tasks/${needed.id}`)).status).toBe(200);
    expect((await send("DELETE", `/tasks/${dependent.id}`)).status).toBe(200);
  });

  test("must exist, and must not lead back", async () => {
    const first = await newTask();
    const second = await newTask({ dependencies: [first.id] });
    const third = await newTask({ dependencies: [second.id] });
    const path = `/tasks/${first.id}`;
    for (const [id, status, error] of [
      ["nowhere", 400, 'dependencies: there is no task with the id "nowhere"'],
      [first.id, 409, "dependencies: the task would depend on itself"],
      [third.id, 409, "dependencies: the task would depend on itself"],
    ] as const) {
      const reply = await send("PATCH", path, { dependencies: [id] });
      expect([reply.status, reply.data.error]).toEqual([status, error]);
    }
    expect((await send("GET", path)).data).toEqual(first);
    const refused = await send("POST", "/tasks", { title: "a", createdBy: "b", dependencies: ["nowhere"] });
    expect(refused.status).toBe(400);
  });
});
