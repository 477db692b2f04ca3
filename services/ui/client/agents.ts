import type { FeedEvent } from "./state/live.js";

/** An agent, by its latest word. */
export interface Agent {
  name: string;
  role: string | undefined;
  doing: "working" | "finished" | "failed";
  seenAt: string;
  last: string;
}

const DOING: Record<string, Agent["doing"]> = { agent_finished: "finished", agent_failed: "failed" };

/** Who published that it started, finished or failed; the one seen last comes first. */
export function agentsFrom(events: readonly FeedEvent[]): Agent[] {
  const agents = new Map<string, Agent>();
  for (const event of events.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const { source: name, type, content: last, time: seenAt } = event;
    const role = typeof event.role === "string" ? event.role : agents.get(name)?.role;
    agents.delete(name);
    agents.set(name, { name, role, doing: DOING[type] ?? "working", seenAt, last });
  }
  return [...agents.values()].reverse();
}
