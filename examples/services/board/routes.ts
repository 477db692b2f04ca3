import type { Static } from "@sinclair/typebox";
import { type Context, Hono } from "hono";
import { readBody, readQuery } from "../../../src/core/validate.js";
import { actorOf } from "./actor.js";
import { addArtifacts, addNote, bumpTask, createTask, patchTask } from "./changes.js";
import type { Announcer } from "./events.js";
import { renderPanel } from "./panel.js";
import { addReviewRoutes } from "./review-routes.js";
import { type BoardStore, unknownTask } from "./store.js";
import { NewArtifacts, NewNote, NewTask, type Task, TaskFilter, TaskPatch } from "./task.js";

/** The HTTP API of the board. Changes are announced once they are on disk. */
export function createRoutes(store: BoardStore, announce: Announcer): Hono {
  const routes = new Hono();

  routes.post("/tasks", async (c) => {
    const task = await store.add(createTask(await readBody(c, NewTask)));
    announce.created(task);
    return c.json(task, 201);
  });

  routes.get("/tasks", (c) => {
    const { tasks, total } = store.list(readQuery(c, TaskFilter));
    return c.json({ tasks, count: tasks.length, total });
  });

  routes.get("/tasks/:id", (c) => c.json(taskOf(c, store)));

  routes.patch("/tasks/:id", async (c) => {
    const patch = await readBody(c, TaskPatch);
    const change = await store.update(c.req.param("id"), (task) => patchTask(task, patch));
    announce.updated(change, whatChanged(patch), actorOf(c));
    return c.json(change.task);
  });

  routes.delete("/tasks/:id", async (c) => {
    const task = await store.remove(c.req.param("id"));
    announce.deleted(task, actorOf(c));
    return c.json({ id: task.id, deleted: true });
  });

  routes.post("/tasks/:id/bump", async (c) => {
    const change = await store.update(c.req.param("id"), bumpTask);
    announce.updated(change, "bumped", actorOf(c));
    return c.json(change.task);
  });

  routes.get("/tasks/:id/notes", (c) => {
    const { notes } = taskOf(c, store);
    return c.json({ notes, count: notes.length });
  });

  routes.post("/tasks/:id/notes", async (c) => {
    const note = await readBody(c, NewNote);
    const author = actorOf(c, note.author);
    const change = await store.update(c.req.param("id"), (task) => addNote(task, note, author));
    announce.updated(change, "added a note to", author);
    return c.json(change.task.notes.at(-1), 201);
  });

  routes.get("/tasks/:id/artifacts", (c) => {
    const { artifacts } = taskOf(c, store);
    return c.json({ artifacts, count: artifacts.length });
  });

  routes.post("/tasks/:id/artifacts", async (c) => {
    const { artifacts, addedBy } = await readBody(c, NewArtifacts);
    const by = actorOf(c, addedBy);
    const change = await store.update(c.req.param("id"), (task) => addArtifacts(task, artifacts, by));
    announce.updated(change, "added artifacts to", by);
    return c.json(change.task, 201);
  });

  addReviewRoutes(routes, store, announce);

  routes.get("/summary", (c) => {
    const counts = store.counts();
    return c.json({ counts, count: Object.values(counts).reduce((sum, tasks) => sum + tasks, 0) });
  });

  routes.get("/_panel", (c) => c.html(renderPanel()));

  return routes;
}

function taskOf(c: Context, store: BoardStore): Task {
  const id = c.req.param("id") ?? "";
  const task = store.get(id);
  if (!task) throw unknownTask(id);
  return task;
}

function whatChanged({ ifAssignee: _condition, ...patch }: Static<typeof TaskPatch>): string {
  return `changed ${Object.keys(patch).join(", ")} of`;
}
