import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { given } from "../../src/core/tool-params.js";
import type { FleetClient, Json } from "../../src/core/types.js";

/** A query string of the parameters that are given, with its `?`. */
function search(params: Record<string, unknown>): string {
  const set = Object.entries(given(params)).map(([key, value]) => [key, String(value)]);
  return set.length > 0 ? `?${new URLSearchParams(set)}` : "";
}

const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 200, description: "Maximum number of events; default 20" }),
);
const cursor = Type.Optional(
  Type.String({ description: "The `next` value of the previous result, to get the next page" }),
);

export function registerTools(pi: ExtensionAPI, client: FleetClient): void {
  const tool = <S extends TSchema>(
    name: string,
    label: string,
    description: string,
    parameters: S,
    call: (params: Static<S>) => Promise<Json>,
  ) => {
    pi.registerTool({
      name,
      label,
      description,
      parameters,
      async execute(_toolCallId, params) {
        if (!client.getBaseUrl()) return client.noUrl();
        try {
          const result = await call(params as Static<S>);
          return client.ok(JSON.stringify(result, null, 2), { result });
        } catch (error) {
          return client.err(error instanceof Error ? error.message : String(error));
        }
      },
    });
  };

  tool(
    "feed_publish",
    "Feed: Publish",
    "Publish an event to the shared feed, which people and all agents see at once. Use it when something is finished, found, decided or failed: " +
      "one event per result that matters to others, not one per step. Returns the stored event with its id.",
    Type.Object({
      type: Type.String({ description: "Event type in snake_case, e.g. task_done, blocked, finding" }),
      content: Type.String({ description: "What happened, in one or two sentences" }),
      parentId: Type.Optional(Type.String({ description: "Id of the event that led to this one" })),
      detail: Type.Optional(Type.String({ description: "More details" })),
      metadata: Type.Optional(
        Type.Record(Type.String(), Type.Unknown(), { description: "Structured data for programs" }),
      ),
    }),
    (params) => client.api("POST", "/feed/events", { ...given(params), source: client.agentName }),
  );

  tool(
    "feed_list",
    "Feed: List",
    "List feed events, newest first; filter by agent, type, words or time. Use it before starting work that others " +
      "may be doing, and to find out what happened. Returns events and `next`, the cursor of the next page.",
    Type.Object({
      agent: Type.Optional(Type.String({ description: "Only events from this agent or service" })),
      type: Type.Optional(Type.String({ description: "Only events of this type" })),
      q: Type.Optional(
        Type.String({
          description: "Only events that contain all of these words; `dep*` matches word beginnings",
        }),
      ),
      since: Type.Optional(
        Type.String({ description: "Only events from this time (ISO 8601), or after this event id" }),
      ),
      limit,
      cursor,
    }),
    (params) => client.api("GET", `/feed/events${search({ limit: 20, ...params })}`),
  );

  tool(
    "feed_thread",
    "Feed: Thread",
    "Get one event in context. Use it to see why something happened. Returns `path` (the event's ancestors, from the root) and `thread` (the event and its descendants).",
    Type.Object({ id: Type.String({ description: "The event's id" }), limit, cursor }),
    async ({ id, ...page }) => {
      const at = `/feed/tree/${encodeURIComponent(id)}`;
      const [path, below] = await Promise.all([
        client.api("GET", `${at}/path${search({ limit: 50 })}`),
        client.api("GET", `${at}${search({ limit: 20, ...page })}`),
      ]);
      return { path: path.events, complete: path.complete, thread: below.events, next: below.next };
    },
  );

  tool(
    "feed_stats",
    "Feed: Statistics",
    "Count the feed's events by type and by source. Use it to see what is in the feed before listing events.",
    Type.Object({}),
    () => client.api("GET", "/feed/stats"),
  );
}
