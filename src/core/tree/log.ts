/** A value that JSON can carry. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** An event as it is published. */
export interface EventInput {
  /** What kind of event it is, for instance `item_created`; 1 to 200 characters. */
  type: string;
  /** Who says so: the name of a service or of an agent; 1 to 200 characters. */
  source: string;
  /** One line or a few paragraphs for people to read; at most 64 KiB. */
  content: string;
  /**
   * The event that led to this one; `null` makes a root. When absent, the cause that the code runs
   * under is taken (see `withCause`), and without one the event is a root.
   */
  parentId?: string | null;
  /** Any further fields; JSON values, together at most 64 KiB. `id`, `nodeId`, `time` are not free. */
  [field: string]: unknown;
}

/** A stored event. */
export interface EventNode {
  /** UUIDv7, greater than the id of every event stored before it. */
  readonly id: string;
  /** The event that led to this one, which retention may have removed since; `null` for a root. */
  readonly parentId: string | null;
  readonly type: string;
  readonly source: string;
  readonly content: string;
  /** When it was stored, ISO 8601 in UTC with milliseconds, as the clock of the server read then. */
  readonly time: string;
  /** The further fields it was published with. */
  readonly extra: Readonly<Record<string, JsonValue>>;
}

/** Some events, and where to go on. */
export interface EventPage {
  events: EventNode[];
  /** The cursor for the next page, or `null` when there is none. */
  next: string | null;
}

/** Which part of a list is wanted. */
export interface PageRequest {
  /** The `next` of the page before. */
  cursor?: string;
  /** At most so many events; 1 to 1000, 50 when absent. */
  limit?: number;
}

/** What to search for; an event must match everything that is given. */
export interface EventQuery extends PageRequest {
  type?: string;
  source?: string;
  /** Words that the content or a textual field must contain; `dep*` stands for all words that begin so. */
  text?: string;
  /** Not stored before this time (ISO 8601), or stored after the event with this id. */
  since?: string;
  /** Stored before this time (ISO 8601). */
  until?: string;
}

/** An event within a subtree; the event that was asked for has depth 0. */
export interface SubtreeEntry {
  event: EventNode;
  depth: number;
}

/** Part of a subtree in reading order: each event is followed by its descendants, oldest first. */
export interface SubtreePage {
  entries: SubtreeEntry[];
  next: string | null;
}

/** The way from a root to an event. */
export interface EventPath {
  /** From the root (or the oldest ancestor that is left or fits the limit) to the event itself. */
  events: EventNode[];
  /** False when ancestors are missing: retention has removed them, or there are more than the limit. */
  complete: boolean;
}

/** Where a reader that wants to go on after `cursor` stands. */
export type Place =
  /** Reading goes on after this position. */
  | { position: string }
  /** Events have been lost to this reader, or the cursor was never handed out. */
  | { reset: "pruned" | "unknown" };

export interface EventLogStats {
  /** Events stored now. */
  count: number;
  /** Ids of the oldest and newest event that are stored. */
  oldest: string | null;
  newest: string | null;
  /** The newest event that retention has removed. */
  pruned: string | null;
  /** How many events there are of the (at most 100) most frequent types and sources. */
  byType: Record<string, number>;
  bySource: Record<string, number>;
}

/** Called with each committed batch, in order and after the commit. */
export type EventListener = (events: readonly EventNode[]) => void;

/**
 * A log of events that form trees. `EventTree` keeps it in SQLite; an engine that spans several
 * machines would implement the same interface. All failures are `EventLogError`s.
 */
export interface EventLog {
  /** Stores an event; resolves once it is on disk and has been announced to the listeners. */
  append(input: EventInput): Promise<EventNode>;
  get(id: string): Promise<EventNode | null>;
  /** Events without a parent, newest first. */
  roots(page?: PageRequest): Promise<EventPage>;
  /** Events whose parent retention has removed, grouped by that parent, the latest parent first. */
  orphans(page?: PageRequest): Promise<EventPage>;
  /** The direct children of an event, oldest first; also of one that has been removed. */
  children(id: string, page?: PageRequest): Promise<EventPage>;
  /** The way from the root to an event, or `null` when there is no such event. */
  path(id: string, limit?: number): Promise<EventPath | null>;
  /** An event and its descendants down to `maxDepth` levels, or `null` when there is no such event. */
  subtree(id: string, page?: PageRequest & { maxDepth?: number }): Promise<SubtreePage | null>;
  /**
   * Newest first. The work for one page is bounded: a search for something rare may return a short or
   * even empty page with a `next` that goes on where it stopped.
   */
  search(query?: EventQuery): Promise<EventPage>;
  /** Finds where to go on for a reader whose last event was `cursor` (an id, or an ISO 8601 time). */
  locate(cursor: string): Promise<Place>;
  /** The events that follow a position, oldest first; `null` when some of them have been removed. */
  after(position: string, limits?: { events?: number; bytes?: number }): Promise<EventNode[] | null>;
  /** Position of the newest event; an empty string when none was ever stored. */
  latest(): string;
  stats(): Promise<EventLogStats>;
  /** Returns a function that ends the subscription. */
  subscribe(listener: EventListener): () => void;
  /** Stores what is under way, then lets go of everything. */
  close(): Promise<void>;
}
