/** The events that the page shows: loaded in pages, then as they come. */
import { batch, computed, signal } from "@preact/signals";
import { api } from "../api.js";
import { type EventFilter, EventTree, matches } from "../event-tree.js";
import { type FeedEvent, onEvents, onReset } from "./live.js";

interface Page {
  events: FeedEvent[];
  count: number;
  next: string | null;
}

const PAGE = 200;
/** Bursts are taken in this often at most. */
const FLUSH_MS = 100;

export const filter = signal<EventFilter>({ q: "", type: "", source: "" });
export const collapsed = signal<ReadonlySet<string>>(new Set());
export const loading = signal(false);
/** Why the latest page could not be loaded. */
export const failure = signal<unknown>(undefined);
/** Where the next older page begins; null at the end. */
export const next = signal<string | null>(null);

let tree = new EventTree();
/** Changes whenever the tree does. */
const version = signal(0);
let pending: FeedEvent[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
/** Replies to an earlier question are not shown. */
let round = 0;

export const isFiltered = computed(() => Object.values(filter.value).some((text) => text !== ""));

export const rows = computed(() => {
  version.value;
  return isFiltered.value ? tree.flat() : tree.rows(collapsed.value);
});

/** An event that is loaded. */
export function known(id: string): FeedEvent | undefined {
  version.value;
  return tree.get(id);
}

export const ancestors = (id: string): string[] => tree.ancestors(id);

function flush(): void {
  timer = undefined;
  const events = pending;
  pending = [];
  if (tree.add(events) > 0) version.value++;
}

function take(events: FeedEvent[]): void {
  const wanted = isFiltered.value ? events.filter((event) => matches(filter.value, event)) : events;
  if (wanted.length === 0) return;
  for (const event of wanted) pending.push(event);
  if (timer === undefined) timer = setTimeout(flush, FLUSH_MS);
}

/** Puts events in that were asked for one by one. */
export function addEvents(events: FeedEvent[]): void {
  if (tree.add(events) > 0) version.value++;
}

function query(cursor: string | null): string {
  const { q, type, source } = filter.peek();
  const params = new URLSearchParams({ limit: String(PAGE) });
  for (const [name, value] of Object.entries({ q, type, source })) if (value) params.set(name, value);
  if (cursor) params.set("cursor", cursor);
  return `/feed/events?${params}`;
}

/** Begins anew with the latest events that pass the filter. */
export async function reloadEvents(): Promise<void> {
  const own = ++round;
  loading.value = true;
  try {
    const page = await api<Page>("GET", query(null));
    if (own !== round) return;
    batch(() => {
      tree = new EventTree();
      tree.add(page.events);
      next.value = page.next;
      failure.value = undefined;
      version.value++;
    });
  } catch (error) {
    if (own === round) failure.value = error;
  } finally {
    if (own === round) loading.value = false;
  }
}

/** Loads the next older page. */
export async function loadOlder(): Promise<void> {
  if (loading.value || next.value === null) return;
  const own = ++round;
  loading.value = true;
  try {
    const page = await api<Page>("GET", query(next.value));
    if (own !== round) return;
    batch(() => {
      tree.add(page.events);
      next.value = page.next;
      version.value++;
    });
  } catch (error) {
    if (own === round) failure.value = error;
  } finally {
    if (own === round) loading.value = false;
  }
}

export function toggle(id: string, close = !collapsed.value.has(id)): void {
  const changed = new Set(collapsed.value);
  if (close) changed.add(id);
  else changed.delete(id);
  collapsed.value = changed;
}

/** Follows the feed while the page is open. */
export function followEvents(): () => void {
  const stops = [onEvents(take), onReset(() => void reloadEvents())];
  return () => {
    for (const stop of stops) stop();
  };
}
