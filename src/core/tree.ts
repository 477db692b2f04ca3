/** The event log of one server: its parts assembled. */
import type { Database } from "bun:sqlite";
import { type Extent, openDatabase, readExtent } from "./tree/database.js";
import { WalSync } from "./tree/disk.js";
import { EventLogError, toLogError } from "./tree/errors.js";
import { isEventId, positionBefore } from "./tree/ids.js";
import { Indexer } from "./tree/indexer.js";
import type {
  EventInput,
  EventListener,
  EventLog,
  EventLogStats,
  EventNode,
  EventPage,
  EventPath,
  EventQuery,
  PageRequest,
  Place,
  SubtreePage,
} from "./tree/log.js";
import { EventReader } from "./tree/reader.js";
import { Pruner, type Retention } from "./tree/retention.js";
import { search, timeOf } from "./tree/search.js";
import { path, subtree } from "./tree/walk.js";
import { EventWriter } from "./tree/writer.js";

export { EventLogError } from "./tree/errors.js";
export type * from "./tree/log.js";
export type { Retention } from "./tree/retention.js";

/** Options of an {@link EventTree}. */
export interface EventTreeOptions {
  /** The SQLite file; its folder is created if missing. `:memory:` persists nothing. */
  path: string;
  /** Default: everything is kept. Can be changed with {@link EventTree.setRetention}. */
  retention?: Retention;
  /** How often events are checked for their age, in milliseconds. Default one minute. */
  pruneEveryMs?: number;
  /** Rejects events while this many bytes wait for the disk. Default 64 MiB. */
  maxQueuedBytes?: number;
  /** Receives warnings: damaged files, failing listeners, failed pruning. Default `console.warn`. */
  warn?: (message: string) => void;
  /** The wall clock in milliseconds. Default `Date.now`. */
  now?: () => number;
}

/**
 * The event log of one server, in one SQLite file. Only one process may have it open.
 *
 * @example
 * const tree = new EventTree({ path: "data/events.sqlite" });
 * const root = await tree.append({ type: "deploy", source: "services", content: "Deploying board" });
 * await tree.append({ type: "test", source: "services", content: "12 passed", parentId: root.id });
 */
export class EventTree implements EventLog {
  readonly #db: Database;
  readonly #disk: WalSync | undefined;
  readonly #reader: EventReader;
  readonly #writer: EventWriter;
  readonly #pruner: Pruner;
  readonly #indexer: Indexer;
  readonly #extent: Extent;
  readonly #warn: (message: string) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #retention: Retention;
  #closed = false;

  constructor(options: EventTreeOptions) {
    const { now = Date.now, warn = console.warn, maxQueuedBytes = 64 * 1024 * 1024 } = options;
    this.#warn = warn;
    this.#retention = options.retention ?? {};
    this.#db = openDatabase(options.path, warn);
    this.#disk = options.path === ":memory:" ? undefined : new WalSync(options.path);
    this.#extent = readExtent(this.#db);
    this.#reader = new EventReader(this.#db);
    this.#writer = new EventWriter(this.#db, this.#reader.positions, this.#extent, {
      disk: this.#disk,
      maxQueuedBytes,
      now,
      warn,
    });
    this.#indexer = new Indexer(this.#db, this.#writer, this.#extent, warn);
    this.#pruner = new Pruner(this.#db, this.#writer, this.#indexer, this.#extent, now);
    this.#writer.subscribe(() => {
      this.#indexer.notice();
      this.#pruneWhenFull();
    });
    this.#indexer.notice();
    this.#timer = setInterval(() => this.#pruneInBackground(), options.pruneEveryMs ?? 60_000);
    this.#timer.unref();
  }

  append(input: EventInput): Promise<EventNode> {
    return this.#writer.append(input);
  }

  async get(id: string): Promise<EventNode | null> {
    return this.#open().get(id);
  }

  async roots(page: PageRequest = {}): Promise<EventPage> {
    const found = this.#open().roots(page, this.#extent.indexed);
    this.#indexer.noticeSearch();
    return found;
  }

  async orphans(page: PageRequest = {}): Promise<EventPage> {
    return this.#open().orphans(page, this.#extent.pruned);
  }

  async children(id: string, page: PageRequest = {}): Promise<EventPage> {
    return this.#open().children(id, page);
  }

  async path(id: string, limit?: number): Promise<EventPath | null> {
    return path(this.#open(), id, limit);
  }

  async subtree(id: string, page: PageRequest & { maxDepth?: number } = {}): Promise<SubtreePage | null> {
    return subtree(this.#open(), id, page);
  }

  async search(query: EventQuery = {}): Promise<EventPage> {
    this.#open();
    if (query.text !== undefined) {
      // If there is no space to index the latest events, the rest can still be searched.
      await this.#indexer
        .catchUp()
        .catch((error) => this.#warn(`Search results are missing the latest events: ${error}`));
    }
    const found = search(this.#open(), query, this.#extent.indexed);
    this.#indexer.noticeSearch();
    return found;
  }

  async locate(cursor: string): Promise<Place> {
    const reader = this.#open();
    const { pruned } = this.#extent;
    if (isEventId(cursor)) {
      if (cursor < pruned) return { reset: "pruned" };
      return cursor === pruned || reader.row(cursor) ? { position: cursor } : { reset: "unknown" };
    }
    const position = positionBefore(timeOf(cursor, "since"));
    return position < pruned ? { reset: "pruned" } : { position };
  }

  async after(
    position: string,
    { events = 500, bytes = 256 * 1024 }: { events?: number; bytes?: number } = {},
  ): Promise<EventNode[] | null> {
    const reader = this.#open();
    // Events that are not on disk yet are invisible to readers.
    return position < this.#extent.pruned ? null : reader.after(position, this.#extent.seq, events, bytes);
  }

  latest(): string {
    return this.#extent.last;
  }

  async stats(): Promise<EventLogStats> {
    this.#open();
    return {
      count: this.#extent.count,
      oldest: this.#value("SELECT id AS v FROM nodes ORDER BY seq LIMIT 1") || null,
      newest: this.#value("SELECT id AS v FROM nodes ORDER BY seq DESC LIMIT 1") || null,
      pruned: this.#extent.pruned || null,
      byType: this.#reader.tally("type", this.#extent.indexed),
      bySource: this.#reader.tally("source", this.#extent.indexed),
    };
  }

  subscribe(listener: EventListener): () => void {
    return this.#writer.subscribe(listener);
  }

  /** Changes the retention, effective with the next pruning. */
  setRetention(retention: Retention): void {
    this.#retention = retention;
  }

  /**
   * Removes events beyond the retention now, in small transactions with other work in between. Resolves with
   * the number of events removed. Also happens automatically.
   */
  async prune(): Promise<number> {
    this.#open();
    return this.#pruner.run(this.#retention);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#pruner.stop();
    await this.#indexer.stop();
    await this.#writer.close();
    this.#reader.close();
    this.#disk?.close();
    this.#db.close();
  }

  #pruneWhenFull(): void {
    const { maxEvents = Infinity } = this.#retention;
    const slack = Math.min(1000, Math.floor(maxEvents / 100));
    if (this.#extent.count > maxEvents + slack) this.#pruneInBackground();
  }

  #pruneInBackground(): void {
    if (this.#closed) return;
    this.#pruner.run(this.#retention).then(
      // Events stored during the last slice have not been considered.
      (removed) => removed > 0 && this.#pruneWhenFull(),
      (error) => this.#warn(`Old events could not be removed: ${toLogError(error)}`),
    );
  }

  #open(): EventReader {
    if (this.#closed) throw new EventLogError("closed", "The event log is closed.");
    return this.#reader;
  }

  #value(sql: string): string {
    return this.#db.query<{ v: string }, []>(sql).get()?.v ?? "";
  }
}
