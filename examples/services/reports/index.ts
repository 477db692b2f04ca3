import type { ServiceModule } from "../../../src/core/types.js";
import type { BoardStore } from "../board/store.js";
import { createRoutes } from "./routes.js";
import { ReportStore } from "./store.js";

/** Reports of their own; `path` is their database, inside the data folder when relative. */
export function createReports(path?: string): ServiceModule {
  const store = new ReportStore(path);
  return {
    name: "reports",
    description: "Reports on tasks created and done on the board, by day and by assignee",
    dependencies: ["board"],
    routes: createRoutes(store),
    store,
    init(ctx) {
      store.open();
      ctx.events.on("board:task_created", ({ task }) => store.record(task));
      ctx.events.on("board:task_updated", ({ task }) => store.record(task));
      ctx.events.on("board:task_deleted", ({ task }) => store.recordDeletion(task.id));
      const board = ctx.getStore<BoardStore>("board");
      if (board) store.catchUp(board.list().tasks);
    },
    routeDocs: {
      "GET /": {
        summary: "Get totals since the service was installed",
        detail: "Deleted tasks count as created, and as done if they were done.",
        response: "{ created, done, deleted, meanLeadSeconds }",
        examples: [{ summary: "Totals" }],
      },
      "GET /days": {
        summary: "Count tasks created and done per day, oldest first",
        query: {
          days: { type: "integer", description: "Number of days up to today (UTC); 1 to 366, default 14" },
        },
        response: '{ days: [{ date: "2026-01-31", created, done }], count }',
        examples: [{ summary: "A week", query: { days: 7 } }],
      },
      "GET /assignees": {
        summary: "Count done and unfinished tasks per assignee",
        response: "{ assignees: [{ assignee, done, unfinished, meanLeadSeconds }], count }",
        examples: [{ summary: "All assignees" }],
      },
    },
  };
}

export default createReports();
