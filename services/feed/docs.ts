import type { RouteDocs } from "../../src/core/types.js";

const paging = {
  limit: { type: "number", description: "At most so many events; 1 to 1000, default 50" },
  cursor: { type: "string", description: "The `next` of the page before" },
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
    agent: { type: "string", description: "The same as `source`" },
    content: { type: "string" },
    summary: { type: "string", description: "The same as `content`" },
    parentId: { type: ["string", "null"] },
  },
};

const id = { id: { type: "string", required: true, description: "Id of an event" } };

const WITHOUT_QUERY = { 400: { description: "A query parameter: the route takes none" } };

const examples = [{ summary: "One event", params: { id: "019a0000-0000-7000-8000-000000000001" } }];

export const routeDocs: Record<string, RouteDocs> = {
  "POST /events": {
    summary: "Publish an event",
    detail:
      "Answers when the event is on disk. All further JSON fields are kept and come back beside the fixed ones. " +
      "507 when the disk is full: nothing was stored, publish again later.",
    body: {
      type: { type: "string", required: true, description: "Kind of event, e.g. `task_done`" },
      source: {
        type: "string",
        description: "Who publishes; needed, where neither `agent` nor the header X-Reef-Agent-Name says so",
      },
      content: {
        type: "string",
        description: "What happened, for people; needed, or `summary` instead. At most 64 KiB",
      },
      parentId: {
        type: "string | null",
        description: "The event that led to this one; the header X-Reef-Parent does as well",
      },
    },
    response: `201 ${event}`,
    schemas: { body: NewEvent },
    examples: [
      {
        summary: "Something was done",
        body: { type: "task_done", agent: "ann", summary: "Painted the boat" },
        status: 201,
      },
      { summary: "Without a type: refused", body: { agent: "ann" }, status: 400 },
    ],
  },
  "GET /events": {
    summary: "Events, newest first",
    detail:
      "A search for something rare may return a short page with a `next`: go on with it until it is null.",
    query: {
      agent: { type: "string", description: "Only from this source; `source` does as well" },
      type: { type: "string", description: "Only of this type" },
      q: { type: "string", description: "Only with all of these words; `dep*` for beginnings of words" },
      since: {
        type: "string",
        description: "Only from this time (ISO 8601) or after the event with this id",
      },
      until: { type: "string", description: "Only before this time (ISO 8601)" },
      ...paging,
    },
    response: events,
    examples: [
      { summary: "The latest ten", query: { limit: 10 } },
      { summary: "Of one kind", query: { type: "task_done" } },
    ],
  },
  "GET /events/:id": {
    summary: "One event",
    params: id,
    response: event,
    responses: WITHOUT_QUERY,
    examples,
  },
  "GET /stats": {
    summary: "How many events there are, by type and by source, and who is listening",
    response:
      "{ count, oldest, newest, pruned, byType, bySource, streams: { clients, connected, delivered, resets, disconnected, dropped } }",
    responses: WITHOUT_QUERY,
    examples: [{ summary: "Counts" }],
  },
  "GET /stream": {
    summary: "Live events as server-sent events",
    detail:
      "Each message has the event's id and the event as JSON in `data`. A client that comes back with Last-Event-ID " +
      "gets every event once and in order, or one `reset` event when its place is gone. `?since=` says where to " +
      "begin without that header; without either the stream begins now.",
    query: {
      agent: { type: "string", description: "Only from these sources; several, or separated by commas" },
      type: { type: "string", description: "Only of these types; several, or separated by commas" },
      since: { type: "string", description: "Id of the last event known, or a time (ISO 8601)" },
    },
    response: "text/event-stream",
    examples: [{ summary: "Everything from now on" }],
  },
  "GET /tree": {
    summary: "Events that no other event led to, newest first",
    query: {
      orphans: { type: "boolean", description: "`true`: those whose parent retention has removed, instead" },
      ...paging,
    },
    response: events,
    examples: [{ summary: "The latest beginnings", query: { limit: 10 } }],
  },
  "GET /tree/:id": {
    summary: "An event and everything it led to, in reading order",
    params: id,
    query: { maxDepth: { type: "number", description: "Levels below the event" }, ...paging },
    response: "{ events: [{ …, depth }], count, next }",
    examples,
  },
  "GET /tree/:id/children": {
    summary: "The events that an event led to directly, oldest first",
    params: id,
    query: paging,
    response: events,
    examples,
  },
  "GET /tree/:id/path": {
    summary: "The events that led to an event, from the root",
    params: id,
    query: { limit: { type: "number", description: "At most so many, the nearest ones; default 1000" } },
    response: `{ events: [${event}], count, complete }`,
    examples,
  },
};
