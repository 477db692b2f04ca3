/** What the server itself answers and announces, without any service. */
import type { EventDoc, RouteDocs } from "../../src/core/types.js";
import { eventEntries, routeEntries } from "./entries.js";
import type { Docs } from "./model.js";

const strings = { type: "array", items: { type: "string" } };

const health: RouteDocs = {
  summary: "Check that the server is up and list what it serves",
  detail: "`skipped` lists the service folders that could not be loaded, and why.",
  auth: false,
  responses: {
    200: {
      description: "The server is up. `uptime` is in seconds.",
      schema: {
        type: "object",
        required: ["status", "uptime", "services"],
        properties: {
          status: { const: "ok" },
          uptime: { type: "number" },
          services: strings,
          skipped: {
            type: "array",
            items: {
              type: "object",
              properties: { name: { type: "string" }, code: { type: "string" }, error: { type: "string" } },
            },
          },
        },
      },
      example: { status: "ok", uptime: 12.5, services: ["docs"], skipped: [] },
    },
  },
  examples: [{}],
};

const events: Record<string, EventDoc> = {
  "reef:event": {
    description: "An event for people and agents: it is stored in the event tree and sent to all streams.",
    schema: {
      type: "object",
      required: ["type", "content"],
      properties: {
        type: { type: "string" },
        source: { type: "string", description: "Default: the service that emits it" },
        content: { type: "string" },
        parentId: { type: ["string", "null"] },
      },
    },
    example: { type: "task_created", source: "board", content: "ann created a task" },
  },
  "services:changed": {
    description: "A service was added, updated, removed, disabled or rolled back, or a change failed.",
    schema: {
      type: "object",
      required: ["name", "action"],
      properties: {
        name: { type: "string" },
        action: { enum: ["added", "updated", "removed", "failed", "disabled", "rolled-back"] },
        step: { type: "string" },
        code: { type: "string" },
        error: { type: "string" },
      },
    },
    example: { name: "board", action: "updated" },
  },
};

export const server: Docs["server"] = {
  routes: routeEntries([{ method: "GET", path: "/health", route: "/health", docs: health }], false),
  events: eventEntries(events),
};
