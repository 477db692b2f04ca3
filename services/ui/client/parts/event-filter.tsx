/** @jsxImportSource preact */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { eventsStrings as w } from "../../strings/events.js";
import { api } from "../api.js";
import type { EventFilter } from "../event-tree.js";
import { go, place } from "../router.js";
import { filter, isFiltered, reloadEvents } from "../state/events.js";
import { useResource } from "../state/resource.js";

interface Stats {
  byType: Record<string, number>;
  bySource: Record<string, number>;
}

const FIELDS = ["q", "type", "source"] as const;
const SETTLE_MS = 250;

function fromAddress(): EventFilter {
  const { searchParams } = new URL(place.value, location.origin);
  const [q = "", type = "", source = ""] = FIELDS.map((name) => searchParams.get(name) ?? "");
  return { q, type, source };
}

const same = (a: EventFilter, b: EventFilter) => FIELDS.every((name) => a[name] === b[name]);

/** Puts the filter into the address, where links and the back button find it. */
function setFilter(wanted: EventFilter): void {
  const url = new URL(place.peek(), location.origin);
  for (const name of FIELDS) {
    if (wanted[name]) url.searchParams.set(name, wanted[name]);
    else url.searchParams.delete(name);
  }
  go(url.pathname + url.search, { replace: true });
}

function Choice({
  name,
  label,
  counts,
}: {
  name: "type" | "source";
  label: string;
  counts: Record<string, number>;
}) {
  const chosen = filter.value[name];
  const names = Object.keys(counts);
  if (chosen !== "" && !names.includes(chosen)) names.unshift(chosen);
  return (
    <label>
      <span>{label}</span>
      <select
        value={chosen}
        onChange={({ currentTarget }) => setFilter({ ...filter.peek(), [name]: currentTarget.value })}
      >
        <option value="">{w.any}</option>
        {names.map((value) => (
          <option key={value} value={value}>
            {value} {counts[value] === undefined ? "" : `(${counts[value]})`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The field for words: it keeps what is typed, until the address says otherwise by itself. */
function useTyped(q: string) {
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const sent = useRef<string>(undefined);
  const put = (words: string) => {
    clearTimeout(timer.current);
    sent.current = words;
    if (field.current) field.current.value = words;
  };
  useLayoutEffect(() => {
    if (q !== sent.current) put(q);
  }, [q]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const typed = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      sent.current = field.current?.value.trim() ?? "";
      setFilter({ ...filter.peek(), q: sent.current });
    }, SETTLE_MS);
  };
  return { field, typed, put };
}

/** What the list is narrowed down to. The address has it. */
export function EventFilterBar() {
  const stats = useResource("stats", () => api<Stats>("GET", "/feed/stats"), 10_000);
  const wanted = fromAddress();
  const { field, typed, put } = useTyped(wanted.q);
  const clear = () => {
    put("");
    setFilter({ q: "", type: "", source: "" });
  };
  useEffect(() => {
    if (same(wanted, filter.peek())) return;
    filter.value = wanted;
    void reloadEvents();
  });
  const { byType = {}, bySource = {} } = stats.data.value ?? {};
  return (
    <search class="row filters">
      <label>
        <span>{w.words}</span>
        <input ref={field} type="search" placeholder={w.wordsHint} maxLength={200} onInput={typed} />
      </label>
      <Choice name="type" label={w.type} counts={byType} />
      <Choice name="source" label={w.source} counts={bySource} />
      {isFiltered.value && (
        <button type="button" onClick={clear}>
          {w.clear}
        </button>
      )}
    </search>
  );
}
