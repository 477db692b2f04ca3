/** The interface of the event log. */

/** A value that JSON can carry. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** An event as it is published. */
export interface EventInput {
  /** What kind of event it is, for instance `item_created`; 1 to 200 characters. */
  type: string;
  /** The name of the service or agent that publishes it; 1 to 200 characters. */
  source: string;
  /** One line or a few paragraphs for people to read; at most 64 KiB. */
  content: string;
  /**
   * The event that led to this one; `null` makes a root. Defaults to the current cause (see `withCause`), and
   * without one to a root.
   */
  parentId?: string | null;
  /** Further fields: JSON values, together at most 64 KiB. `id`, `nodeId` and `time` are reserved. */
  [field: string]: unknown;
}

/** A stored event. */
export interface EventNode {
  /** UUIDv7, greater than the id of every event stored before it. */
  readonly id: string;
  /** The event that led to this one; retention may have removed it. `null` for a root. */
  readonly parentId: string | null;
  readonly type: string;
  readonly source: string;
  readonly content: string;
  /** When it was stored: ISO 8601 in UTC with milliseconds, by the server's clock. */
  readonly time: string;
  /** The further fields. */
  readonly extra: Readonly<Record<string, JsonValue>>;
}

/** A page of events. */
export interface EventPage {
  events: EventNode[];
  /** The cursor for the next page, or `null` when there is none. */
  next: string | null;
}

/** Which page of a list to return. */
export interface PageRequest {
  /** The `next` of the previous page. */
  cursor?: string;
  /** The maximum number of events, from 1 to 1000; default 50. */
  limit?: number;
}

/** A search; events must match all given criteria. */
export interface EventQuery extends PageRequest {
  type?: string;
  source?: string;
  /** Words that the content or a text field must contain; `dep*` matches all words with that prefix. */
  text?: string;
  /** Stored at or after this time (ISO 8601), or after the event with this id. */
  since?: string;
  /** Stored before this time (ISO 8601). */
  until?: string;
}

/** An event in a subtree; the requested event has depth 0. */
export interface SubtreeEntry {
  event: EventNode;
  depth: number;
}

/** A page of a subtree in pre-order: each event is followed by its descendants, oldest first. */
export interface SubtreePage {
  entries: SubtreeEntry[];
  next: string | null;
}

/** The path from a root to an event. */
export interface EventPath {
  /** From the root, or the oldest remaining ancestor within the limit, to the event itself. */
  events: EventNode[];
  /** False when ancestors are missing, because of retention or the limit. */
  complete: boolean;
}

/** Where a reader continues after a cursor. */
export type Place =
  /** Reading continues after this position. */
  | { position: string }
  /** Events have been lost to this reader, or the cursor is unknown. */
  | { reset: "pruned" | "unknown" };

/** Statistics of an event log. */
export interface EventLogStats {
  /** The number of stored events. */
  count: number;
  /** The ids of the oldest and newest stored event. */
  oldest: string | null;
  newest: string | null;
  /** The id of the newest event that retention has removed. */
  pruned: string | null;
  /** The number of events of the (at most 100) most frequent types and sources. */
  byType: Record<string, number>;
  bySource: Record<string, number>;
}

/** Receives each committed batch, in order. */
export type EventListener = (events: readonly EventNode[]) => void;

/**
 * A log of events that form trees. `EventTree` implements it in SQLite; a distributed engine could implement
 * the same interface. All failures are `EventLogError`s.
 */
export interface EventLog {
  /** Stores an event. Resolves once it is on disk and has been announced to the listeners. */
  append(input: EventInput): Promise<EventNode>;
  get(id: string): Promise<EventNode | null>;
  /** Events without a parent, newest first. */
  roots(page?: PageRequest): Promise<EventPage>;
  /** Events whose parent was removed by retention, grouped by that parent, latest parent first. */
  orphans(page?: PageRequest): Promise<EventPage>;
  /** The direct children of an event, even a removed one, oldest first. */
  children(id: string, page?: PageRequest): Promise<EventPage>;
  /** The path from the root to an event, or `null` when there is no such event. */
  path(id: string, limit?: number): Promise<EventPath | null>;
  /** An event and its descendants down to `maxDepth` levels, or `null` when there is no such event. */
  subtree(id: string, page?: PageRequest & { maxDepth?: number }): Promise<SubtreePage | null>;
  /**
   * Searches, newest first. The work per page is bounded: a search for something rare may return a short or
   * empty page with a `next` that continues where it stopped.
   */
  search(query?: EventQuery): Promise<EventPage>;
  /** Finds where a reader continues whose last event was `cursor` (an id or an ISO 8601 time). */
  locate(cursor: string): Promise<Place>;
  /** The events after a position, oldest first; `null` when some of them have been removed. */
  after(position: string, limits?: { events?: number; bytes?: number }): Promise<EventNode[] | null>;
  /** The position of the newest event; an empty string when none was ever stored. */
  latest(): string;
  stats(): Promise<EventLogStats>;
  /** Subscribes to committed batches. Returns the function that unsubscribes. */
  subscribe(listener: EventListener): () => void;
  /** Stores pending events and releases all resources. */
  close(): Promise<void>;
}
