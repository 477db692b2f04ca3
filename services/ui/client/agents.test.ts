import { expect, test } from "bun:test";
import { agentsFrom, readBack } from "./agents.js";
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

test("events are read back to the beginning, and the next time to what is known", async () => {
  const all = Array.from({ length: 7 }, (_, index) => event(String(7 - index), "ada", "agent_started"));
  const asked: string[] = [];
  const page = async (path: string) => {
    asked.push(path);
    const { searchParams } = new URL(path, "http://reef");
    const from = Number(searchParams.get("cursor") ?? 0);
    return { events: all.slice(from, from + 2), next: from + 2 < all.length ? String(from + 2) : null };
  };
  const ids = async (known: string[]) =>
    (await readBack("agent_started", new Set(known), page)).map(({ id }) => id);
  expect(await ids([])).toEqual(["7", "6", "5", "4", "3", "2", "1"]);
  expect(asked[0]).toStartWith("/feed/events?type=agent_started&limit=");
  asked.length = 0;
  expect(await ids(["5", "4"])).toEqual(["7", "6", "5", "4"]);
  expect(asked).toHaveLength(2);
});
