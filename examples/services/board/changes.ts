/** Everything that can happen to a task: pure functions from a task to the changed task. */
import type { Static } from "@sinclair/typebox";
import { ReefError } from "../../../src/core/errors.js";
import type { Artifact, NewArtifact, NewNote, NewTask, Note, Status, Task, TaskPatch } from "./task.js";

/** What a PATCH may turn a status into. The way out of a review to "done" is its approval. */
const NEXT: Record<Status, readonly Status[]> = {
  open: ["in_progress", "blocked", "in_review", "done"],
  in_progress: ["open", "blocked", "in_review", "done"],
  blocked: ["open", "in_progress", "in_review", "done"],
  in_review: ["open", "in_progress", "blocked"],
  done: ["open", "in_progress"],
};

const now = () => new Date().toISOString();

/** Whoever follows the board tells newer from older by `updatedAt`: it stands still while the clock is behind it. */
function touched(task: Task, changes: Partial<Task>): Task {
  const time = Math.max(Date.now(), Date.parse(task.updatedAt));
  return { ...task, ...changes, updatedAt: new Date(time).toISOString() };
}

/** A new task; `fields` decide what the request may set. */
export function createTask(fields: Static<typeof NewTask>): Task {
  const createdAt = now();
  return {
    id: Bun.randomUUIDv7(),
    status: "open",
    tags: [],
    dependencies: [],
    ...fields,
    createdAt,
    updatedAt: createdAt,
    notes: [],
    artifacts: [],
    score: 0,
  };
}

/**
 * @throws ReefError `CONFLICT` for a status that cannot follow the present one, and for an assignee that is none of
 * `ifAssignee`; `BAD_REQUEST` for a condition without a change.
 */
export function patchTask(task: Task, { ifAssignee, ...patch }: Static<typeof TaskPatch>): Task {
  if (Object.keys(patch).length === 0) {
    throw new ReefError(
      "BAD_REQUEST",
      "nothing to change: ifAssignee is only a condition; give a field to change",
    );
  }
  if (ifAssignee && !ifAssignee.includes(task.assignee ?? null)) {
    const who = task.assignee === undefined ? "nobody" : JSON.stringify(task.assignee);
    throw new ReefError("CONFLICT", `the task is assigned to ${who}`);
  }
  const { status = task.status } = patch;
  if (status !== task.status && !NEXT[task.status].includes(status)) {
    const hint = task.status === "in_review" ? "; approve it instead" : "";
    throw new ReefError("CONFLICT", `a task that is ${task.status} cannot become ${status}${hint}`);
  }
  const changes = Object.entries(patch).map(([field, value]) => [field, value ?? undefined]);
  return touched(task, Object.fromEntries(changes) as Partial<Task>);
}

export const bumpTask = (task: Task): Task => touched(task, { score: task.score + 1 });

/** Adds a note; `author` stands in when the note names none. */
export function addNote(task: Task, note: Static<typeof NewNote>, author: string): Task {
  const createdAt = now();
  const complete: Note = { id: Bun.randomUUIDv7(), author, type: "update", ...note, createdAt };
  return touched(task, { notes: [...task.notes, complete] });
}

export function addArtifacts(task: Task, artifacts: Static<typeof NewArtifact>[], addedBy: string): Task {
  const addedAt = now();
  const complete: Artifact[] = artifacts.map((artifact) => ({ ...artifact, addedBy, addedAt }));
  return touched(task, { artifacts: [...task.artifacts, ...complete] });
}

/** @throws ReefError `CONFLICT` when it is in review already, or done. */
export function submitTask(
  task: Task,
  { summary, artifacts = [] }: { summary?: string; artifacts?: Static<typeof NewArtifact>[] },
  by: string,
): Task {
  if (task.status === "in_review" || task.status === "done") {
    throw new ReefError("CONFLICT", `a task that is ${task.status} cannot be submitted for review`);
  }
  return settle(addArtifacts(task, artifacts, by), "in_review", summary, by);
}

/** @throws ReefError `CONFLICT` when it is not in review. */
export function approveTask(task: Task, comment: string | undefined, by: string): Task {
  assertInReview(task, "approved");
  return settle(task, "done", comment, by);
}

/** Sends a task back to work. @throws ReefError `CONFLICT` when it is not in review. */
export function rejectTask(task: Task, reason: string, by: string): Task {
  assertInReview(task, "rejected");
  return settle(task, task.assignee ? "in_progress" : "open", reason, by);
}

function assertInReview(task: Task, verb: string): void {
  if (task.status === "in_review") return;
  throw new ReefError("CONFLICT", `only a task in review can be ${verb}; this one is ${task.status}`);
}

function settle(task: Task, status: Status, content: string | undefined, by: string): Task {
  const changed = touched(task, { status });
  return content === undefined ? changed : addNote(changed, { content, type: "review" }, by);
}
