/** Stores events in batches. */
import type { Database } from "bun:sqlite";
import { AsyncLocalStorage } from "node:async_hooks";
import { GroupCommit } from "../group-commit.js";
import type { Extent } from "./database.js";
import type { WalSync } from "./disk.js";
import { EventLogError, toLogError } from "./errors.js";
import { idsAfter } from "./ids.js";
import type { EventInput, EventListener, EventNode } from "./log.js";
import type { Positions } from "./positions.js";
import { type Draft, draft } from "./validate.js";

/** The maximum number of events per transaction; keeps pauses short under load. */
const MAX_BATCH = 1000;
/** How many turns of the event loop a batch waits for more events, while more keep arriving. */
const MAX_TURNS = 2;

interface Waiting {
  draft: Draft;
  resolve(node: EventNode): void;
  reject(error: unknown): void;
}

/** The result of storing a batch. */
interface Outcome {
  nodes: EventNode[];
  /** The result for each event, in order. */
  results: (EventNode | EventLogError)[];
  last: string;
  seq: number;
}

/** The only writer of events. Stores them in batches and announces each batch once it is on disk. */
export class EventWriter {
  readonly #commits: GroupCommit;
  readonly #insert;
  readonly #removeAfter;
  readonly #listeners = new Set<EventListener>();
  readonly #inOwnContext = AsyncLocalStorage.snapshot();
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #writing: Promise<void> | null = null;
  #closed = false;

  constructor(
    db: Database,
    private readonly positions: Positions,
    private readonly extent: Extent,
    private readonly options: {
      /** Rejects events while this many bytes wait for the disk. */
      maxQueuedBytes: number;
      /** The wall clock in milliseconds. */
      now: () => number;
      /** Syncs commits; without it, events are kept in memory only. */
      disk?: WalSync;
      /** Receives warnings. */
      warn: (message: string) => void;
    },
  ) {
    this.#commits = new GroupCommit(db);
    this.#insert = db.query<
      null,
      [number, string, string | null, string, string, string, number, string | null]
    >(
      "INSERT INTO nodes (seq, id, parent, type, source, content, time, extra) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#removeAfter = db.query<null, [number]>("DELETE FROM nodes WHERE seq > ?");
  }

  append(input: EventInput): Promise<EventNode> {
    const { promise, resolve, reject } = Promise.withResolvers<EventNode>();
    try {
      this.#enqueue({ draft: draft(input), resolve, reject });
    } catch (error) {
      reject(error);
    }
    return promise;
  }

  /** Runs a change of the database in a transaction between batches. */
  change<T>(fn: () => T): Promise<T> {
    return this.#commits.write(fn).catch((error) => {
      throw toLogError(error);
    });
  }

  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Refuses further events. Resolves when pending ones are settled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    this.#commits.close();
  }

  #enqueue(waiting: Waiting): void {
    const { size } = waiting.draft;
    if (this.#closed) throw new EventLogError("closed", "The event log is closed.");
    if (this.#queuedBytes + size > this.options.maxQueuedBytes) {
      throw new EventLogError("overloaded", "More events are being published than can be stored; try again.");
    }
    this.#queue.push(waiting);
    this.#queuedBytes += size;
    this.#writing ??= this.#inOwnContext(() => this.#writeAll());
  }

  /** Waits while the batch is still growing: a commit costs nearly the same for one event as for many. */
  async #gather(): Promise<void> {
    let seen = 0;
    for (let turn = 0; turn < MAX_TURNS && this.#queue.length < MAX_BATCH; turn++) {
      if (this.#queue.length === seen) return;
      seen = this.#queue.length;
      await new Promise(setImmediate);
    }
  }

  async #writeAll(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#gather();
      const taken = this.#queue.length > MAX_BATCH ? this.#queue.splice(0, MAX_BATCH) : this.#queue;
      if (taken === this.#queue) this.#queue = [];
      try {
        const committed = this.#commits.write(() => this.#store(taken));
        this.#commits.flush();
        const outcome = await committed;
        const { nodes, results } = outcome;
        await this.options.disk?.sync().catch(async (error) => {
          await this.#takeBack(outcome);
          throw error;
        });
        this.#advance(outcome);
        if (nodes.length > 0) this.#announce(nodes);
        for (const [i, { resolve, reject }] of taken.entries()) {
          const result = results[i];
          if (result instanceof EventLogError) reject(result);
          else resolve(result as EventNode);
        }
      } catch (error) {
        for (const { reject } of taken) reject(toLogError(error));
      }
      for (const { draft } of taken) this.#queuedBytes -= draft.size;
    }
    this.#writing = null;
  }

  #advance({ nodes, last, seq }: Outcome): void {
    this.extent.last = last;
    this.extent.seq = seq;
    this.extent.count += nodes.length;
  }

  /** Removes a batch that could not be synced: nobody was told of it, and publishers may retry. */
  async #takeBack(outcome: Outcome): Promise<void> {
    try {
      const removed = this.#commits.write(() => this.#removeAfter.run(this.extent.seq));
      this.#commits.flush();
      await removed;
    } catch (error) {
      // The events then stay, and later ones follow them.
      this.#advance(outcome);
      this.options.warn(`Events that were not stored safely could not be removed: ${error}`);
    }
  }

  #store(taken: Waiting[]): Outcome {
    const { last, pruned } = this.extent;
    const outcome: Outcome = { nodes: [], results: [], last, seq: this.extent.seq };
    const now = this.options.now();
    const time = new Date(now).toISOString();
    const idOf = idsAfter(last, now, outcome.seq + 1);
    let parent = "";
    for (const { draft } of taken) {
      const { type, source, content, extra, extraJson } = draft;
      let { parentId } = draft;
      if (parentId !== null && parentId !== parent) {
        if (this.positions.of(parentId) !== undefined) parent = parentId;
        else if (!draft.implied) {
          const message = `"parentId": there is no event ${parentId}.`;
          outcome.results.push(new EventLogError("unknown-parent", message));
          continue;
        } else if (parentId > pruned) parentId = null;
      }
      const id = idOf(++outcome.seq);
      this.#insert.run(outcome.seq, id, parentId, type, source, content, now, extraJson);
      const node: EventNode = { id, parentId, type, source, content, time, extra };
      outcome.last = id;
      outcome.nodes.push(node);
      outcome.results.push(node);
    }
    return outcome;
  }

  #announce(nodes: readonly EventNode[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(nodes);
      } catch (error) {
        this.options.warn(`A listener of the event log failed: ${error}`);
      }
    }
  }
}
