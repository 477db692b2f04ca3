import type { Hono } from "hono";
import { readBody } from "../../../src/core/validate.js";
import { actorOf } from "./actor.js";
import { approveTask, rejectTask, submitTask } from "./changes.js";
import type { Announcer } from "./events.js";
import type { BoardStore } from "./store.js";
import { Approval, Rejection, Submission } from "./task.js";

/** Adds the routes of a review: submit, list, approve, reject. */
export function addReviewRoutes(routes: Hono, store: BoardStore, announce: Announcer): void {
  routes.get("/review", (c) => {
    const { tasks } = store.list({ status: "in_review" });
    return c.json({ tasks, count: tasks.length });
  });

  routes.post("/tasks/:id/review", async (c) => {
    const { submittedBy, ...submission } = await readBody(c, Submission);
    const by = actorOf(c, submittedBy);
    const change = await store.update(c.req.param("id"), (task) => submitTask(task, submission, by));
    announce.updated(change, "submitted for review", by);
    return c.json(change.task);
  });

  routes.post("/tasks/:id/approve", async (c) => {
    const { approvedBy, comment } = await readBody(c, Approval);
    const by = actorOf(c, approvedBy);
    const change = await store.update(c.req.param("id"), (task) => approveTask(task, comment, by));
    announce.updated(change, "approved", by);
    return c.json(change.task);
  });

  routes.post("/tasks/:id/reject", async (c) => {
    const { rejectedBy, reason } = await readBody(c, Rejection);
    const by = actorOf(c, rejectedBy);
    const change = await store.update(c.req.param("id"), (task) => rejectTask(task, reason, by));
    announce.updated(change, "rejected", by);
    return c.json(change.task);
  });
}
