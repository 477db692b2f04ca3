import type { EventDoc, ParamDoc, RouteDocs, RouteExample } from "../../../src/core/types.js";
import {
  Approval,
  ARTIFACT_TYPES,
  NewArtifacts,
  NewNote,
  NewTask,
  NOTE_TYPES,
  Rejection,
  STATUSES,
  Submission,
  Task,
  TaskFilter,
  TaskPatch,
} from "./task.js";

const TASK =
  "{ id, title, description?, status, assignee?, tags, dependencies, createdBy, createdAt, updatedAt, " +
  "notes: [{ id, author, content, type, createdAt }], artifacts: [{ type, url, label?, addedBy, addedAt }], score }";

const params: Record<string, ParamDoc> = {
  id: { type: "string", required: true, description: "The task's id. 404 when it does not exist" },
};

const actor = (what: string): ParamDoc => ({
  type: "string",
  description: `Who ${what}; default: the agent named in X-Reef-Agent-Name`,
});

const fields: Record<string, ParamDoc> = {
  description: { type: "string", description: "What to do; up to 20000 characters" },
  tags: { type: "string[]", description: "Up to 50 labels" },
  dependencies: { type: "string[]", description: "Ids of existing tasks that this one depends on" },
};

const artifacts: ParamDoc = {
  type: "{ type, url, label? }[]",
  description: `1 to 50 results; type is one of ${ARTIFACT_TYPES.join(", ")}`,
};

const ID = "019a0000-0000-7000-8000-000000000001";

/** A request about one task. */
const about = (summary: string, body?: RouteExample["body"]): RouteExample[] => [
  { summary, params: { id: ID }, ...(body && { body }) },
];

const FULL: RouteDocs["responses"] = { 507: { description: "The disk is full; nothing was stored" } };

const answers = (status: 200 | 201, description = "The task"): RouteDocs["responses"] => ({
  [status]: { description, schema: Task },
});

/** What `/docs/board` shows. */
export const routeDocs: Record<string, RouteDocs> = {
  "POST /tasks": {
    summary: "Create a task",
    detail: "Responds once the task is on disk. Emits board:task_created.",
    body: {
      title: { type: "string", required: true, description: "1 to 200 characters" },
      createdBy: { type: "string", required: true, description: "Who creates it" },
      status: { type: "string", description: "open (the default), in_progress or blocked" },
      assignee: { type: "string", description: "Who should do it" },
      ...fields,
    },
    response: `201 ${TASK}`,
    schemas: { body: NewTask },
    responses: { ...answers(201), ...FULL },
    examples: [
      {
        summary: "A task with a tag",
        body: { title: "Paint the boat", createdBy: "ann", tags: ["harbour"] },
        status: 201,
      },
      { summary: "Missing title: 400", body: { createdBy: "ann" }, status: 400 },
    ],
  },
  "GET /tasks": {
    summary: "List tasks, highest score first, then oldest first",
    query: {
      status: { type: "string", description: `One of ${STATUSES.join(", ")}` },
      assignee: { type: "string", description: "Only tasks of this assignee" },
      tag: { type: "string", description: "Only tasks with this tag" },
      createdBy: { type: "string", description: "Only tasks of this creator" },
      limit: { type: "integer", description: "Maximum number of tasks, 1 to 10000; default: all" },
      offset: { type: "integer", description: "Number of tasks to skip, 0 to 9007199254740991" },
    },
    response:
      "{ tasks: Task[], count, total }; total counts all matching tasks, regardless of limit and offset",
    schemas: { query: TaskFilter },
    examples: [
      { summary: "All tasks" },
      { summary: "The next open tasks", query: { status: "open", limit: 10 } },
    ],
  },
  "GET /tasks/:id": {
    summary: "Get a task",
    params,
    response: TASK,
    responses: answers(200),
    examples: about("One task"),
  },
  "PATCH /tasks/:id": {
    summary: "Update a task",
    detail:
      "Only the given fields change. 409 when the status cannot follow the current one: a task in review " +
      "becomes done by approval. With `ifAssignee`, also 409 when the task is assigned to somebody else: if several " +
      "take it at once, one succeeds. Emits board:task_updated.",
    params,
    body: {
      title: { type: "string", description: "1 to 200 characters" },
      status: { type: "string", description: `One of ${STATUSES.join(", ")}` },
      assignee: { type: "string | null", description: "null unassigns the task" },
      ...fields,
      description: { type: "string | null", description: "null removes it" },
      ifAssignee: {
        type: "(string | null)[]",
        description: "Update the task only if its assignee is one of these; null means unassigned",
      },
    },
    response: TASK,
    schemas: { body: TaskPatch },
    responses: {
      ...answers(200),
      ...FULL,
      409: {
        description: "The status cannot follow the current one, or the task is assigned to somebody else",
      },
    },
    examples: about("Take the task unless somebody else has it", {
      status: "in_progress",
      assignee: "bob",
      ifAssignee: [null, "bob"],
    }),
  },
  "DELETE /tasks/:id": {
    summary: "Delete a task",
    detail: "409 while other tasks depend on it. Emits board:task_deleted.",
    params,
    response: "{ id, deleted: true }",
    responses: FULL,
    examples: about("One task"),
  },
  "POST /tasks/:id/bump": {
    summary: "Raise a task's score by one, so that it is listed earlier",
    params,
    response: TASK,
    responses: { ...answers(200), ...FULL },
    examples: about("One task"),
  },
  "GET /tasks/:id/notes": {
    summary: "List a task's notes",
    params,
    response: "{ notes: Note[], count }",
    examples: about("Notes of a task"),
  },
  "POST /tasks/:id/notes": {
    summary: "Add a note",
    params,
    body: {
      content: { type: "string", required: true, description: "1 to 20000 characters" },
      type: { type: "string", description: `One of ${NOTE_TYPES.join(", ")}; default update` },
      author: actor("writes"),
    },
    response: "201 { id, author, content, type, createdAt }",
    schemas: { body: NewNote },
    responses: FULL,
    examples: about("A question", { content: "Which colour?", type: "question", author: "bob" }),
  },
  "GET /tasks/:id/artifacts": {
    summary: "List a task's artifacts",
    params,
    response: "{ artifacts: Artifact[], count }",
    examples: about("Artifacts of a task"),
  },
  "POST /tasks/:id/artifacts": {
    summary: "Add artifacts",
    params,
    body: { artifacts: { ...artifacts, required: true }, addedBy: actor("adds them") },
    response: `201 ${TASK}`,
    schemas: { body: NewArtifacts },
    responses: { ...answers(201), ...FULL },
    examples: about("A link", {
      artifacts: [{ type: "url", url: "https://example.com/boat.png" }],
      addedBy: "bob",
    }),
  },
  "GET /review": {
    summary: "List the tasks in review",
    response: "{ tasks: Task[], count }",
    examples: [{ summary: "Tasks waiting for review" }],
  },
  "POST /tasks/:id/review": {
    summary: "Submit a task for review",
    detail: "409 when it is already in review or done.",
    params,
    body: {
      summary: { type: "string", description: "What was done; kept as a note" },
      artifacts,
      submittedBy: actor("submits"),
    },
    response: TASK,
    schemas: { body: Submission },
    responses: { ...answers(200), ...FULL },
    examples: about("Done, please look", { summary: "Two coats of blue" }),
  },
  "POST /tasks/:id/approve": {
    summary: "Approve a task in review; it becomes done",
    detail: "409 when it is not in review.",
    params,
    body: {
      comment: { type: "string", description: "Kept as a note" },
      approvedBy: actor("approves"),
    },
    response: TASK,
    schemas: { body: Approval },
    responses: { ...answers(200), ...FULL },
    examples: about("Well done", { comment: "Lovely", approvedBy: "ann" }),
  },
  "POST /tasks/:id/reject": {
    summary: "Send a task in review back to its assignee",
    detail: "Its status becomes in_progress, or open if it is unassigned. 409 when it is not in review.",
    params,
    body: {
      reason: { type: "string", required: true, description: "What is missing; kept as a note" },
      rejectedBy: actor("rejects"),
    },
    response: TASK,
    schemas: { body: Rejection },
    responses: { ...answers(200), ...FULL },
    examples: about("Not yet", { reason: "It still drips", rejectedBy: "ann" }),
  },
  "GET /summary": {
    summary: "Count the tasks in each status",
    response: "{ counts: { open, in_progress, blocked, in_review, done }, count }",
    examples: [{ summary: "The counts" }],
  },
  "GET /_panel": {
    summary: "Get the dashboard panel",
    response: "text/html",
    examples: [{ summary: "The panel" }],
  },
};

const task = Task;

/** The events that the board emits. */
export const eventDocs: Record<string, EventDoc> = {
  "board:task_created": {
    description: "A task was created; it is on disk.",
    schema: { type: "object", properties: { task } },
  },
  "board:task_updated": {
    description: "A task was changed; `previous` is the task before the change.",
    schema: { type: "object", properties: { task, previous: task } },
  },
  "board:task_deleted": {
    description: "A task was deleted.",
    schema: { type: "object", properties: { task } },
  },
};
