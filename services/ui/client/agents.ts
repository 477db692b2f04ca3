import { api } from "./api.js";
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

interface EventPage {
  events: FeedEvent[];
  next: string | null;
}

const PAGE = 200;
const MAX_PAGES = 50;

/** Events of a type, the latest first: back to the first that is known, or as far back as there are any. */
export async function readBack(
  type: string,
  known: { has(id: string): boolean },
  ask = (path: string) => api<EventPage>("GET", path),
): Promise<FeedEvent[]> {
  const found: FeedEvent[] = [];
  const params = new URLSearchParams({ type, limit: String(PAGE) });
  for (let page = 0; page < MAX_PAGES; page++) {
    const { events, next } = await ask(`/feed/events?${params}`);
    found.push(...events);
    if (next === null || events.some(({ id }) => known.has(id))) break;
    params.set("cursor", next);
  }
  return found;
}
