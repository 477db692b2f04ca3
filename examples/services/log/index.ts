import type { RouteDocs, ServiceModule } from "../../../src/core/types.js";
import { createRoutes, Filter, NewEntry } from "./routes.js";
import { LogStore } from "./store.js";
import { registerTools } from "./tools.js";

const query: RouteDocs["query"] = {
  since: { type: "string", description: "Only entries from this time, ISO 8601" },
  until: { type: "string", description: "Only entries up to this time, ISO 8601" },
  last: {
    type: "string",
    description: "Only entries of the last period, e.g. 30s, 90m, 1h, 7d or 2w; not with since",
  },
  limit: {
    type: "integer",
    description: "Maximum number of entries, newest kept; default 1000, at most 10000",
  },
};

/** A log of its own; `path` is its file, inside the data folder when relative. */
export function createLog(path?: string): ServiceModule {
  const store = new LogStore(path);
  return {
    name: "log",
    description: "Append-only work log shared by agents and people",
    routes: createRoutes(store),
    store,
    init: () => store.open(),
    registerTools,
    routeDocs: {
      "POST /": {
        summary: "Append an entry",
        detail: "Responds once the entry is on disk.",
        body: {
          text: { type: "string", required: true, description: "What to log; 1 to 20000 characters" },
          agent: { type: "string", description: "Who writes; 1 to 100 characters" },
        },
        response: "201 { id, timestamp, text, agent? }",
        schemas: { body: NewEntry },
        responses: { 507: { description: "The disk is full; nothing was stored" } },
        examples: [{ summary: "A line", body: { text: "Deployed the board", agent: "ann" }, status: 201 }],
      },
      "GET /": {
        summary: "List entries, oldest first",
        query,
        response: "{ entries: [{ id, timestamp, text, agent? }], count }",
        schemas: { query: Filter },
        examples: [
          { summary: "The newest ten", query: { limit: 10 } },
          { summary: "The last hour", query: { last: "1h" } },
        ],
      },
      "GET /raw": {
        summary: "Read entries as plain text",
        detail:
          "One line per entry: time, agent in brackets, text. Further lines of a text are indented; line breaks in a " +
          "name become spaces.",
        query,
        response: "200 text/plain",
        schemas: { query: Filter },
        examples: [{ summary: "Today", query: { last: "24h" } }],
      },
    },
  };
}

export default createLog();
