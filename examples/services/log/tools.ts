import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { Type } from "@sinclair/typebox";
import { messageOf } from "../../../src/core/errors.js";
import { given } from "../../../src/core/tool-params.js";
import type { FleetClient } from "../../../src/core/types.js";

/** Registers `log_append` and `log_query`. */
export function registerTools(pi: ExtensionAPI, client: FleetClient): void {
  pi.registerTool({
    name: "log_append",
    label: "Log: Append",
    description:
      "Append an entry to the work log that all agents share. Use it for what others will want to know later: " +
      "decisions and their reasons, results, surprises, handovers. Entries cannot be changed. Returns the entry's time.",
    parameters: Type.Object({
      text: Type.String({ description: "What happened, in full sentences", maxLength: 20_000 }),
    }),
    async execute(_toolCallId, { text }) {
      if (!client.getBaseUrl()) return client.noUrl();
      try {
        const entry = await client.api("POST", "/log", { text, agent: client.agentName });
        return client.ok(`Logged at ${entry.timestamp}.`, { entry });
      } catch (error) {
        return client.err(messageOf(error));
      }
    },
  });

  pi.registerTool({
    name: "log_query",
    label: "Log: Query",
    description:
      "Read the shared work log, oldest entry first. Use it before you take over work, or when you need to know " +
      "what other agents did and why. Returns one line per entry; without parameters, the last 24 hours.",
    parameters: Type.Object({
      last: Type.Optional(
        Type.String({
          description: 'How far back: a number and s, m, h, d or w, e.g. "90m". Not with since',
        }),
      ),
      since: Type.Optional(Type.String({ description: "Start, ISO 8601, e.g. 2026-01-31T12:00:00Z" })),
      until: Type.Optional(Type.String({ description: "End, ISO 8601" })),
      limit: Type.Optional(
        Type.Integer({ description: "Maximum number of entries, newest kept; default 1000" }),
      ),
    }),
    async execute(_toolCallId, params) {
      if (!client.getBaseUrl()) return client.noUrl();
      try {
        const filter = given(params);
        const query = new URLSearchParams(filter.since || filter.until ? {} : { last: "24h" });
        for (const [name, value] of Object.entries(filter)) query.set(name, String(value));
        const text = await client.api<string>("GET", `/log/raw?${query}`);
        return client.ok(text || "No entries.");
      } catch (error) {
        return client.err(messageOf(error));
      }
    },
  });
}
