/** @jsxImportSource preact */
import { useEffect } from "preact/hooks";
import { eventsStrings as w } from "../../strings/events.js";
import { api } from "../api.js";
import type { EventFilter } from "../event-tree.js";
import { queryOf } from "../router.js";
import { filter, reloadEvents } from "../state/events.js";
import { useResource } from "../state/resource.js";
import { Filter } from "./filter.js";

interface Stats {
  byType: Record<string, number>;
  bySource: Record<string, number>;
}

const FIELDS = ["q", "type", "source"] as const;

const same = (a: EventFilter, b: EventFilter) => FIELDS.every((name) => a[name] === b[name]);

/** What the list is narrowed down to. The address has it. */
export function EventFilterBar() {
  const stats = useResource("stats", () => api<Stats>("GET", "/feed/stats"), 10_000);
  const [q, type, source] = FIELDS.map(queryOf) as [string, string, string];
  const wanted = { q, type, source };
  useEffect(() => {
    if (same(wanted, filter.peek())) return;
    filter.value = wanted;
    void reloadEvents();
  });
  const { byType = {}, bySource = {} } = stats.data.value ?? {};
  return (
    <Filter
      choices={[
        { name: "type", label: w.type, counts: byType },
        { name: "source", label: w.source, counts: bySource },
      ]}
    />
  );
}
