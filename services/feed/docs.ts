import type { RouteDocs } from "../../src/core/types.js";

const paging = {
  limit: { type: "number", description: "Maximum number of events; 1 to 1000, default 50" },
  cursor: { type: "string", description: "The `next` value of the previous page" },
};

const event = "{ id, nodeId, parentId, type, source, content, time, … }";
const events = `{ events: [${event}], count, next }`;

/** Who publishes may stand in a header, so no field for that is required. */
const NewEvent = {
  type: "object",
  required: ["type"],
  anyOf: [{ required: ["content"] }, { required: ["summary"] }],
  properties: {
    type: { type: "string" },
    source: { type: "string" },
    agent: { type: "string", description: "Alias of `source`" },
    content: { type: "string" },
    summary: { type: "string", description: "Alias of `content`" },
    parentId: { type: ["string", "null"] },
  },
};

const id = { id: { type: "string", required: true, description: "Id of an event" } };

const WITHOUT_QUERY = { 400: { description: "The route takes no query parameters" } };

const examples = [{ summary: "Get an event", params: { id: "019a0000-0000-7000-8000-000000000001" } }];

export const routeDocs: Record<string, RouteDocs> = {
  "POST /events": {
    summary: "Publish an event",
    detail:
      "Responds once the event is on disk. Other JSON fields are stored and returned with the event. " +
      "507 when the disk is full: nothing was stored; publish again later.",
    body: {
      type: { type: "string", required: true, description: "Kind of event, e.g. `task_done`" },
      source: {
        type: "string",
        description: "Who publishes. Required unless `agent` or the X-Reef-Agent-Name header is given",
      },
      content: {
        type: "string",
        description: "What happened, for people. Required unless `summary` is given. At most 64 KiB",
      },
      parentId: {
        type: "string | null",
        description: "The event that led to this one. The X-Reef-Parent header also sets it",
      },
    },
    response: `201 ${event}`,
    schemas: { body: NewEvent },
    examples: [
      {
        summary: "A finished task",
        body: { type: "task_done", agent: "ann", summary: "Painted the boat" },
        status: 201,
      },
      { summary: "Missing type: 400", body: { agent: "ann" }, status: 400 },
    ],
  },
  "GET /events": {
    summary: "List events, newest first",
    detail: "A page may be short or empty and still have a `next`: continue until it is null.",
    query: {
      agent: { type: "string", description: "Only events from this source. Alias: `source`" },
      type: { type: "string", description: "Only events of this type" },
      q: {
        type: "string",
        description: "Only events that contain all of these words; `dep*` matches word beginnings",
      },
      since: {
        type: "string",
        description: "Only events from this time (ISO 8601), or after this event id",
      },
      until: { type: "string", description: "Only events before this time (ISO 8601)" },
      ...paging,
    },
    response: events,
    examples: [
      { summary: "The latest ten", query: { limit: 10 } },
      { summary: "One type", query: { type: "task_done" } },
    ],
  },
  "GET /events/:id": {
    summary: "Get an event",
    params: id,
    response: event,
    responses: WITHOUT_QUERY,
    examples,
  },
  "GET /stats": {
    summary: "Count events by type and by source, and count stream clients",
    response:
      "{ count, oldest, newest, pruned, byType, bySource, streams: { clients, connected, delivered, resets, disconnected, dropped } }",
    responses: WITHOUT_QUERY,
    examples: [{ summary: "Counts" }],
  },
  "GET /stream": {
    summary: "Stream live events as server-sent events",
    detail:
      "Each message has the event's id, and the event as JSON in `data`. A client that reconnects with Last-Event-ID " +
      "gets every event once and in order, or one `reset` event if its position is no longer available. Without that header, " +
      "`?since=` sets the start; without either, the stream starts now.",
    query: {
      agent: { type: "string", description: "Only events from these sources; repeatable or comma-separated" },
      type: { type: "string", description: "Only events of these types; repeatable or comma-separated" },
      since: { type: "string", description: "Id of the last event received, or a time (ISO 8601)" },
    },
    response: "text/event-stream",
    examples: [{ summary: "All events from now on" }],
  },
  "GET /tree": {
    summary: "List root events (those without a parent), newest first",
    query: {
      orphans: {
        type: "boolean",
        description: "`true`: list events whose parent was removed by retention instead",
      },
      ...paging,
    },
    response: events,
    examples: [{ summary: "The latest root events", query: { limit: 10 } }],
  },
  "GET /tree/:id": {
    summary: "Get an event and all its descendants, depth first",
    params: id,
    query: { maxDepth: { type: "number", description: "Maximum depth below the event" }, ...paging },
    response: "{ events: [{ …, depth }], count, next }",
    examples,
  },
  "GET /tree/:id/children": {
    summary: "List an event's direct children, oldest first",
    params: id,
    query: paging,
    response: events,
    examples,
  },
  "GET /tree/:id/path": {
    summary: "List an event's ancestors, from the root",
    params: id,
    query: { limit: { type: "number", description: "Maximum number, nearest first; default 1000" } },
    response: `{ events: [${event}], count, complete }`,
    examples,
  },
};
