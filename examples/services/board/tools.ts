import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { Type } from "@sinclair/typebox";
import { messageOf } from "../../../src/core/errors.js";
import { given } from "../../../src/core/tool-params.js";
import type { FleetClient, ToolResult } from "../../../src/core/types.js";
import { ARTIFACT_TYPES, NOTE_TYPES, STATUSES, type Task } from "./task.js";
import { nullableText, oneOf, optional, text, texts } from "./tool-inputs.js";

const id = text("The task's id, from board_list_tasks");
const artifacts = Type.Array(
  Type.Object({
    type: oneOf(ARTIFACT_TYPES, "Type of artifact"),
    url: text("Location: a URL, a path or a branch name"),
    label: optional(text("Display name")),
  }),
  { description: "Results of the work", minItems: 1 },
);

/** Registers the tools with which an agent uses the board. */
export function registerTools(pi: ExtensionAPI, client: FleetClient): void {
  const me = client.agentName;

  /** One call of the board's API as the result of a tool. */
  const call = async (method: string, path: string, body?: object): Promise<ToolResult> => {
    if (!client.getBaseUrl()) return client.noUrl();
    try {
      const result = await client.api(method, `/board${path}`, body && given(body));
      return client.ok(JSON.stringify(result, null, 2), { result });
    } catch (error) {
      return client.err(messageOf(error));
    }
  };
  const taskPath = (taskId: string, rest = "") => `/tasks/${encodeURIComponent(taskId)}${rest}`;

  pi.registerTool({
    name: "board_create_task",
    label: "Board: Create Task",
    description:
      "Create a task on the board that all agents share. Use it for work that somebody else should do or that must not " +
      "be forgotten. Check with board_list_tasks first that it does not exist yet. Returns the task with its id.",
    parameters: Type.Object({
      title: text("What to do, in a few words"),
      description: optional(text("Details that the assignee needs to know")),
      assignee: optional(text("Name of the agent that should do it. Default: unassigned")),
      tags: optional(texts("Labels to filter by")),
      dependencies: optional(texts("Ids of tasks that must be done first")),
    }),
    execute: (_toolCallId, params) => call("POST", "/tasks", { ...params, createdBy: me }),
  });

  pi.registerTool({
    name: "board_list_tasks",
    label: "Board: List Tasks",
    description:
      "List tasks on the shared board, highest score first. Use it to find work, to see who does what, and before " +
      "creating a task. Returns one line per task: id, status, title, assignee, tags, score.",
    parameters: Type.Object({
      status: optional(oneOf(STATUSES, "Only tasks in this status")),
      assignee: optional(text("Only tasks of this agent")),
      tag: optional(text("Only tasks with this tag")),
      limit: optional(Type.Integer({ description: "Maximum number of tasks; default 50", minimum: 1 })),
    }),
    async execute(_toolCallId, params) {
      if (!client.getBaseUrl()) return client.noUrl();
      try {
        const query = new URLSearchParams({ limit: "50" });
        for (const [name, value] of Object.entries(given(params))) query.set(name, String(value));
        const { tasks, total } = await client.api<{ tasks: Task[]; total: number }>(
          "GET",
          `/board/tasks?${query}`,
        );
        const lines = tasks.map(toLine);
        if (total > tasks.length) lines.push(`(${total - tasks.length} more)`);
        return client.ok(lines.join("\n") || "No tasks.", { tasks, total });
      } catch (error) {
        return client.err(messageOf(error));
      }
    },
  });

  pi.registerTool({
    name: "board_get_task",
    label: "Board: Get Task",
    description: "Get one task with its notes and artifacts. Use it before you start work on a task.",
    parameters: Type.Object({ id }),
    execute: (_toolCallId, params) => call("GET", taskPath(params.id)),
  });

  pi.registerTool({
    name: "board_update_task",
    label: "Board: Update Task",
    description:
      "Update a task: take it (set assignee to your name and status to in_progress), mark it blocked, or correct it. " +
      "Fails if the task is assigned to somebody else: choose another one. When the work is finished, prefer " +
      "board_submit_for_review.",
    parameters: Type.Object({
      id,
      title: optional(text("New title")),
      description: optional(nullableText("New description; null removes it")),
      status: optional(oneOf(STATUSES, "New status")),
      assignee: optional(nullableText("New assignee; null unassigns the task")),
      tags: optional(texts("The complete new list of tags")),
      dependencies: optional(texts("The complete new list of ids of tasks that must be done first")),
      takeOver: optional(
        Type.Boolean({
          description: "Take a task assigned to somebody else, because they stopped or agreed. Default false",
        }),
      ),
    }),
    execute: (_toolCallId, { id, takeOver, ...patch }) => {
      const { assignee } = patch;
      // Of several agents that take a task at once, one is to have it.
      const condition = assignee && !takeOver ? { ifAssignee: [null, assignee, me] } : {};
      return call("PATCH", taskPath(id), { ...patch, ...condition });
    },
  });

  pi.registerTool({
    name: "board_add_note",
    label: "Board: Add Note",
    description:
      "Add a note to a task: progress, a finding, a question, or what blocks it. Use it for anything that the next reader " +
      "of the task needs to know.",
    parameters: Type.Object({
      id,
      content: text("The note"),
      type: optional(oneOf(NOTE_TYPES, "Type of note; default update")),
    }),
    execute: (_toolCallId, { id, ...note }) => call("POST", taskPath(id, "/notes"), { ...note, author: me }),
  });

  pi.registerTool({
    name: "board_add_artifacts",
    label: "Board: Add Artifacts",
    description: "Attach results to a task: branches, reports, deployments. Use it as soon as they exist.",
    parameters: Type.Object({ id, artifacts }),
    execute: (_toolCallId, { id, artifacts }) =>
      call("POST", taskPath(id, "/artifacts"), { artifacts: artifacts.map(given), addedBy: me }),
  });

  pi.registerTool({
    name: "board_bump_task",
    label: "Board: Bump Task",
    description:
      "Raise a task's score by one, so that it is listed earlier. Use it when you also need the task done.",
    parameters: Type.Object({ id }),
    execute: (_toolCallId, params) => call("POST", taskPath(params.id, "/bump")),
  });

  pi.registerTool({
    name: "board_submit_for_review",
    label: "Board: Submit for Review",
    description:
      "Submit a finished task for review, with a summary and its results. Another agent or a person then approves or rejects it.",
    parameters: Type.Object({
      id,
      summary: text("What was done, and how to check it"),
      artifacts: optional(artifacts),
    }),
    execute: (_toolCallId, { id, summary, artifacts }) =>
      call("POST", taskPath(id, "/review"), { summary, artifacts: artifacts?.map(given), submittedBy: me }),
  });

  pi.registerTool({
    name: "board_approve_task",
    label: "Board: Approve Task",
    description: "Approve a task in review after checking its results. Its status becomes done.",
    parameters: Type.Object({ id, comment: optional(text("What you checked")) }),
    execute: (_toolCallId, { id, ...body }) =>
      call("POST", taskPath(id, "/approve"), { ...body, approvedBy: me }),
  });

  pi.registerTool({
    name: "board_reject_task",
    label: "Board: Reject Task",
    description:
      "Reject a task in review. Use it when something is missing. The task returns to its assignee.",
    parameters: Type.Object({ id, reason: text("What must change before it can be approved") }),
    execute: (_toolCallId, { id, ...body }) =>
      call("POST", taskPath(id, "/reject"), { ...body, rejectedBy: me }),
  });
}

function toLine({ id, title, status, assignee, tags, score }: Task): string {
  const details = [assignee && `@${assignee}`, ...tags.map((tag) => `#${tag}`), score > 0 && `+${score}`];
  return [`${id} [${status}] ${title}`, ...details.filter(Boolean)].join(" ");
}
