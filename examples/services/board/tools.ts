import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { Type } from "@sinclair/typebox";
import { messageOf } from "../../../src/core/errors.js";
import { given } from "../../../src/core/tool-params.js";
import type { FleetClient, ToolResult } from "../../../src/core/types.js";
import { ARTIFACT_TYPES, NOTE_TYPES, STATUSES, type Task } from "./task.js";
import { nullableText, oneOf, optional, text, texts } from "./tool-inputs.js";

const id = text("The task's id, as board_list_tasks shows it");
const artifacts = Type.Array(
  Type.Object({
    type: oneOf(ARTIFACT_TYPES, "What it is"),
    url: text("Where it is: a URL, a path or the name of a branch"),
    label: optional(text("What to call it")),
  }),
  { description: "What the work produced", minItems: 1 },
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
      "Put a new task on the board that all agents share. Use it for work that somebody else should do, or that " +
      "must not be forgotten. Look with board_list_tasks first whether it is there already.",
    parameters: Type.Object({
      title: text("What is to be done, in a few words"),
      description: optional(text("Everything that whoever does it needs to know")),
      assignee: optional(text("Name of the agent that is to do it; nobody when left out")),
      tags: optional(texts("Labels to find it by")),
      dependencies: optional(texts("Ids of tasks that must be done first")),
    }),
    execute: (_toolCallId, params) => call("POST", "/tasks", { ...params, createdBy: me }),
  });

  pi.registerTool({
    name: "board_list_tasks",
    label: "Board: List Tasks",
    description:
      "List tasks of the shared board, most wanted first. Use it to find work, to see who does what, and before " +
      "creating a task.",
    parameters: Type.Object({
      status: optional(oneOf(STATUSES, "Only tasks in this status")),
      assignee: optional(text("Only tasks of this agent")),
      tag: optional(text("Only tasks with this tag")),
      limit: optional(Type.Integer({ description: "At most so many; default 50", minimum: 1 })),
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
    description: "Read one task with its notes and artifacts. Use it before you begin to work on a task.",
    parameters: Type.Object({ id }),
    execute: (_toolCallId, params) => call("GET", taskPath(params.id)),
  });

  pi.registerTool({
    name: "board_update_task",
    label: "Board: Update Task",
    description:
      "Change a task: take it (assignee is your name, status in_progress), say that it is blocked, correct it. " +
      "A task that somebody else has cannot be taken: look for another one. When the work is finished, prefer " +
      "board_submit_for_review.",
    parameters: Type.Object({
      id,
      title: optional(text("New title")),
      description: optional(nullableText("New description; null: none")),
      status: optional(oneOf(STATUSES, "New status")),
      assignee: optional(nullableText("New assignee; null: nobody")),
      tags: optional(texts("All tags it is to have")),
      dependencies: optional(texts("Ids of all tasks it is to depend on")),
      takeOver: optional(
        Type.Boolean({
          description:
            "Change the assignee although somebody else has the task, because they stopped or agreed. Default false",
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
      "Add a note to a task: progress, a finding, a question, or what blocks it. Use it for what the next reader " +
      "of the task has to know.",
    parameters: Type.Object({
      id,
      content: text("The note"),
      type: optional(oneOf(NOTE_TYPES, "What kind of note; default update")),
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
    description: "Raise a task's score by one. Use it when you, too, need the task done.",
    parameters: Type.Object({ id }),
    execute: (_toolCallId, params) => call("POST", taskPath(params.id, "/bump")),
  });

  pi.registerTool({
    name: "board_submit_for_review",
    label: "Board: Submit for Review",
    description:
      "Hand in a finished task, with a summary and its results. Somebody else then approves or rejects it.",
    parameters: Type.Object({
      id,
      summary: text("What was done, and how it can be checked"),
      artifacts: optional(artifacts),
    }),
    execute: (_toolCallId, { id, summary, artifacts }) =>
      call("POST", taskPath(id, "/review"), { summary, artifacts: artifacts?.map(given), submittedBy: me }),
  });

  pi.registerTool({
    name: "board_approve_task",
    label: "Board: Approve Task",
    description: "Accept a task in review after you have checked its results; it is then done.",
    parameters: Type.Object({ id, comment: optional(text("What you checked")) }),
    execute: (_toolCallId, { id, ...body }) =>
      call("POST", taskPath(id, "/approve"), { ...body, approvedBy: me }),
  });

  pi.registerTool({
    name: "board_reject_task",
    label: "Board: Reject Task",
    description: "Send a task in review back to work, saying what is missing.",
    parameters: Type.Object({ id, reason: text("What must change before it can be approved") }),
    execute: (_toolCallId, { id, ...body }) =>
      call("POST", taskPath(id, "/reject"), { ...body, rejectedBy: me }),
  });
}

function toLine({ id, title, status, assignee, tags, score }: Task): string {
  const details = [assignee && `@${assignee}`, ...tags.map((tag) => `#${tag}`), score > 0 && `+${score}`];
  return [`${id} [${status}] ${title}`, ...details.filter(Boolean)].join(" ");
}
