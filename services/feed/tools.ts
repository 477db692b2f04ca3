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
  Type.Integer({ minimum: 1, maximum: 200, description: "At most so many; default 20" }),
);
const cursor = Type.Optional(Type.String({ description: "The `next` of an earlier result, to see more" }));

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
    "Publish an event that people and the other agents see at once: something finished, found, decided or failed. " +
      "One event per thing that matters to others, not one per step. Returns the stored event with its id.",
    Type.Object({
      type: Type.String({ description: "Kind of event in snake_case, e.g. task_done, blocked, finding" }),
      content: Type.String({ description: "What happened, in one or two sentences" }),
      parentId: Type.Optional(Type.String({ description: "Id of the event that led to this one" })),
      detail: Type.Optional(Type.String({ description: "More for those who look closer" })),
      metadata: Type.Optional(
        Type.Record(Type.String(), Type.Unknown(), { description: "Structured data for programs" }),
      ),
    }),
    (params) => client.api("POST", "/feed/events", { ...given(params), source: client.agentName }),
  );

  tool(
    "feed_list",
    "Feed: List",
    "See what happened lately, newest first; narrow it down by agent, type, words or time. Use it before starting " +
      "work that others may be doing, and to learn how something came about.",
    Type.Object({
      agent: Type.Optional(Type.String({ description: "Only from this agent or service" })),
      type: Type.Optional(Type.String({ description: "Only of this type" })),
      q: Type.Optional(
        Type.String({ description: "Only with all of these words; `dep*` for beginnings of words" }),
      ),
      since: Type.Optional(
        Type.String({ description: "Only from this time on (ISO 8601), or after this event id" }),
      ),
      limit,
      cursor,
    }),
    (params) => client.api("GET", `/feed/events${search({ limit: 20, ...params })}`),
  );

  tool(
    "feed_thread",
    "Feed: Thread",
    "See one event in its context: what led to it, from the beginning, and everything that came of it.",
    Type.Object({ id: Type.String({ description: "Id of an event" }), limit, cursor }),
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
    "See how many events there are, of which types and from whom.",
    Type.Object({}),
    () => client.api("GET", "/feed/stats"),
  );
}
