import type { Database } from "bun:sqlite";
import { AsyncLocalStorage } from "node:async_hooks";
import { GroupCommit } from "../group-commit.js";
import type { Extent } from "./database.js";
import { EventLogError, toLogError } from "./errors.js";
import { nextId } from "./ids.js";
import type { EventInput, EventListener, EventNode } from "./log.js";
import { type Draft, draft } from "./validate.js";

/** Events that go into one transaction at most; keeps the pause of a flood short. */
const batchSize = 1000;

interface Waiting {
  draft: Draft;
  resolve(node: EventNode): void;
  reject(error: unknown): void;
}

/** What became of a batch in its transaction. */
interface Outcome {
  nodes: EventNode[];
  settle: (() => void)[];
  last: string;
  seq: number;
}

/** The only writer of events: stores them in batches and announces each batch after its commit. */
export class EventWriter {
  readonly #commits: GroupCommit;
  readonly #insert;
  readonly #exists;
  readonly #listeners = new Set<EventListener>();
  readonly #inOwnContext = AsyncLocalStorage.snapshot();
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #writing: Promise<void> | null = null;
  #closed = false;

  constructor(
    db: Database,
    private readonly extent: Extent,
    private readonly options: {
      /** Rejects further events while so many bytes wait for the disk. */
      maxQueuedBytes: number;
      /** The wall clock in milliseconds. */
      now: () => number;
      /** Told what a listener threw. */
      warn: (message: string) => void;
    },
  ) {
    this.#commits = new GroupCommit(db);
    this.#exists = db.query<{ seq: number }, [string]>("SELECT seq FROM nodes WHERE id = ?");
    this.#insert = db.query<
      null,
      [number, string, string | null, string, string, string, number, string | null]
    >(
      "INSERT INTO nodes (seq, id, parent, type, source, content, time, extra) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
  }

  async append(input: EventInput): Promise<EventNode> {
    const checked = draft(input);
    if (this.#closed) throw new EventLogError("closed", "The event log is closed.");
    if (this.#queuedBytes + checked.size > this.options.maxQueuedBytes) {
      throw new EventLogError("overloaded", "More events are being published than can be stored; try again.");
    }
    const { promise, resolve, reject } = Promise.withResolvers<EventNode>();
    this.#queue.push({ draft: checked, resolve, reject });
    this.#queuedBytes += checked.size;
    this.#writing ??= this.#inOwnContext(() => this.#writeAll());
    return promise;
  }

  /** Runs a change of the database between two batches, in a transaction. */
  change<T>(fn: () => T): Promise<T> {
    return this.#commits.write(fn).catch((error) => {
      throw toLogError(error);
    });
  }

  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Refuses further events and resolves when those under way are settled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    this.#commits.close();
  }

  async #writeAll(): Promise<void> {
    while (this.#queue.length > 0) {
      let taken: Waiting[] = [];
      try {
        const outcome = await this.#commits.write(() => {
          taken = this.#queue.splice(0, batchSize);
          return this.#store(taken);
        });
        this.extent.last = outcome.last;
        this.extent.seq = outcome.seq;
        this.extent.count += outcome.nodes.length;
        if (outcome.nodes.length > 0) this.#announce(outcome.nodes);
        for (const settle of outcome.settle) settle();
      } catch (error) {
        if (taken.length === 0) taken = this.#queue.splice(0);
        for (const { reject } of taken) reject(toLogError(error));
      }
      for (const { draft } of taken) this.#queuedBytes -= draft.size;
    }
    this.#writing = null;
  }

  #store(taken: Waiting[]): Outcome {
    const outcome: Outcome = { nodes: [], settle: [], last: this.extent.last, seq: this.extent.seq };
    const now = this.options.now();
    const time = new Date(now).toISOString();
    let parent = "";
    for (const { draft, resolve, reject } of taken) {
      const { type, source, content, extra, extraJson } = draft;
      let { parentId } = draft;
      if (parentId !== null && parentId !== parent) {
        if (this.#exists.get(parentId)) parent = parentId;
        else if (!draft.implied) {
          const error = new EventLogError(
            "unknown-parent",
            `There is no event ${parentId} to be the parent.`,
          );
          outcome.settle.push(() => reject(error));
          continue;
        } else if (parentId > this.extent.pruned) parentId = null;
      }
      const id = nextId(outcome.last, now);
      outcome.last = id;
      this.#insert.run(++outcome.seq, id, parentId, type, source, content, now, extraJson);
      const node: EventNode = { id, parentId, type, source, content, time, extra };
      outcome.nodes.push(node);
      outcome.settle.push(() => resolve(node));
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
