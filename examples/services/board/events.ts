/** What the board tells other services, and what people and agents see of it in the event tree. */
import type { ServiceEventBus } from "../../../src/core/types.js";
import type { Change } from "./store.js";
import type { Task } from "./task.js";

declare module "../../../src/core/types.js" {
  interface ServiceEvents {
    "board:task_created": { task: Task };
    "board:task_updated": Change;
    "board:task_deleted": { task: Task };
  }
}

/** Announces changes that are on disk. */
export class Announcer {
  #events: ServiceEventBus | undefined;

  /** Announcements reach others once the service has been started with its bus. */
  connect(events: ServiceEventBus): void {
    this.#events = events;
  }

  created(task: Task): void {
    this.#events?.fire("board:task_created", { task });
    this.#show("task_created", `${task.createdBy} created "${task.title}"`, task);
  }

  /** @param what What happened, as part of a sentence: `"bumped"`. */
  updated(change: Change, what: string, by: string): void {
    const { task } = change;
    this.#events?.fire("board:task_updated", change);
    this.#show("task_updated", `${by} ${what} "${task.title}" (${task.status})`, task);
  }

  deleted(task: Task, by: string): void {
    this.#events?.fire("board:task_deleted", { task });
    this.#show("task_deleted", `${by} deleted "${task.title}"`, task);
  }

  #show(type: string, content: string, task: Task): void {
    const { id: taskId, status, assignee } = task;
    this.#events?.fire("reef:event", {
      type,
      source: "board",
      content,
      metadata: { taskId, status, assignee },
    });
  }
}
