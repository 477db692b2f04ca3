import { expect, test } from "bun:test";
import { agentsFrom } from "./agents.js";
import type { FeedEvent } from "./state/live.js";

const event = (id: string, source: string, type: string, more: object = {}): FeedEvent => ({
  id,
  parentId: null,
  type,
  source,
  content: `${source} ${type}`,
  time: `2026-01-01T00:00:0${id}Z`,
  ...more,
});

test("an agent is what it said last, with the role that it told once", () => {
  const agents = agentsFrom([
    event("4", "b", "agent_failed"),
    event("1", "a", "agent_started", { role: "worker" }),
    event("2", "b", "agent_started"),
    event("3", "a", "agent_finished"),
    event("5", "c", "agent_started"),
  ]);
  expect(agents.map(({ name, doing, role }) => `${name} ${doing} ${role}`)).toEqual([
    "c working undefined",
    "b failed undefined",
    "a finished worker",
  ]);
});
