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
/** Why the page that was asked for last could not be loaded; nothing more is asked for until somebody wants it. */
export const failure = signal<unknown>(undefined);
/** Where the next older page begins; null at the end. */
export const next = signal<string | null>(null);

let tree = new EventTree();
/** Where the tree's events are from: its filter need not be the present one. */
let from = "";
/** Changes whenever the tree does. */
const version = signal(0);
let pending: FeedEvent[] = [];
/** Came since the request under way began: its reply need not have them. */
let meanwhile: FeedEvent[] = [];
/** Were asked for one by one, and are shown beside what is loaded in pages. */
let apart: FeedEvent[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
/** Cursor of the latest request. */
let asked: string | null = null;
/** Replies to an earlier question are not shown. */
let round = 0;

export const isFiltered = computed(() => Object.values(filter.value).some((text) => text !== ""));

export const rows = computed(() => {
  version.value;
  return isFiltered.value ? tree.flat() : tree.rows(collapsed.value);
});

/** Whether the page holds all it can; older events are not asked for any more. */
export const full = computed(() => {
  version.value;
  return tree.full;
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

const wanted = (events: FeedEvent[]) =>
  isFiltered.peek() ? events.filter((event) => matches(filter.peek(), event)) : events;

/** Puts events in that have just come. */
export function take(events: FeedEvent[]): void {
  const fresh = wanted(events);
  if (fresh.length === 0) return;
  for (const event of fresh) pending.push(event);
  if (loading.peek()) meanwhile.push(...fresh);
  if (timer === undefined) timer = setTimeout(flush, FLUSH_MS);
}

/**
 * Puts events in that were asked for one by one, as far as they pass the filter. They stay when everything begins
 * anew, until the function that this returns is called.
 */
export function addEvents(events: FeedEvent[]): () => void {
  apart = events;
  if (tree.add(wanted(events)) > 0) version.value++;
  return () => {
    if (apart === events) apart = [];
  };
}

/** Where the latest events that pass the filter are; older ones with a cursor. */
export const latest = computed(() => {
  const { q, type, source } = filter.value;
  const params = new URLSearchParams({ limit: String(PAGE) });
  for (const [name, value] of Object.entries({ q, type, source })) if (value) params.set(name, value);
  return `/feed/events?${params}`;
});

/** Begins anew with nothing, under the present filter. */
function begin(): void {
  tree = new EventTree();
  pending = [];
  from = latest.peek();
  next.value = null;
  version.value++;
}

/** Asks for the page that begins at `cursor`, or for the latest, with which everything begins anew. */
async function load(cursor: string | null): Promise<void> {
  const own = ++round;
  batch(() => {
    loading.value = true;
    failure.value = undefined;
  });
  asked = cursor;
  meanwhile = wanted(pending);
  try {
    const older = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await api<Page>("GET", latest.peek() + older);
    if (own !== round) return;
    batch(() => {
      if (cursor === null) begin();
      tree.add(page.events);
      tree.add(meanwhile);
      tree.add(wanted(apart));
      next.value = page.next;
      version.value++;
    });
  } catch (error) {
    if (own !== round) return;
    batch(() => {
      failure.value = error;
      if (from !== latest.peek()) begin();
    });
  } finally {
    if (own === round) loading.value = false;
  }
  // The server looks through so much at a time; there may be more where nothing was found.
  if (own === round && tree.size === 0) await loadOlder();
}

/** Begins anew with the latest events that pass the filter. */
export const reloadEvents = (): Promise<void> => load(null);

/** Loads the next older page, if there is one and a place for it. */
export async function loadOlder(): Promise<void> {
  const cursor = next.peek();
  if (cursor === null || loading.peek() || failure.peek() !== undefined || full.peek()) return;
  await load(cursor);
}

/** Asks once more for what could not be loaded. */
export const retry = (): Promise<void> => load(asked);

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
    round++;
    loading.value = false;
  };
}
