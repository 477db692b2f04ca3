/** Groups SQLite writes into shared transactions. */
import type { Database } from "bun:sqlite";
import { BatchQueue } from "./batch-queue.js";
import { StorageError, systemErrorCode, toStorageError } from "./storage-error.js";

/** A queued write. `run` executes it and returns the function that resolves its promise after the commit. */
interface QueuedWrite {
  run(): () => void;
  fail(error: unknown): void;
}

/**
 * Runs writes that arrive together in one SQLite transaction, so that they share one sync to disk, and reports
 * each caller's commit individually.
 *
 * The promise of `write()` resolves after COMMIT: with `synchronous=FULL` the rows are on disk then. A callback
 * that throws rolls back only its own changes and rejects only its own promise. When SQLite aborts the
 * transaction (`STORAGE_FULL` and the like), all writes that were part of it reject, and later writes start a
 * new one.
 *
 * Callbacks run in call order, must be synchronous, and must not begin or end transactions. `close()` does not
 * close the database, which belongs to the caller.
 *
 * The timer that starts a group belongs to the context in which the object was created (see {@link
 * BatchQueue}): inside a `Bun.ModuleGraph`, call `flush()` or `close()` before the graph is disposed.
 *
 * @example
 * const group = new GroupCommit(db);
 * const id = await group.write(() => insert.run(name).lastInsertRowid);
 */
export class GroupCommit {
  readonly #db: Database;
  readonly #queue = new BatchQueue<QueuedWrite>((writes) => this.#commit(writes));
  #closed = false;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Queues `fn` for the next group. Resolves with its result once it is committed; rejects with what it threw,
   * or with a `StorageError`.
   */
  write<T>(fn: () => T): Promise<T> {
    if (this.#closed) {
      return Promise.reject(
        new StorageError("STORAGE_CLOSED", `cannot write to ${this.#db.filename}: it is closed`),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const run = () => {
      const result = fn();
      if (isThenable(result)) {
        result.then(undefined, reject);
        throw new TypeError("a grouped write must be synchronous, but its callback returned a promise");
      }
      return () => resolve(result);
    };
    const fail = (error: unknown) => {
      const fromSqlite = systemErrorCode(error).startsWith("SQLITE_");
      reject(fromSqlite ? toStorageError(error, this.#db.filename) : error);
    };
    this.#queue.push({ run, fail });
    return promise;
  }

  /** Commits all queued writes before it returns. Failures reject the promises of their writes. */
  flush(): void {
    this.#queue.flush();
  }

  /** Flushes, then refuses further writes. Idempotent. */
  close(): void {
    this.flush();
    this.#closed = true;
  }

  #commit(writes: QueuedWrite[]): void {
    let left = writes;
    while (left.length > 0) left = this.#commitTogether(left);
  }

  /**
   * Commits writes in one transaction. Returns those that were not attempted because SQLite aborted the
   * transaction first.
   */
  #commitTogether(writes: QueuedWrite[]): QueuedWrite[] {
    const succeed: (() => void)[] = [];
    let attempted = writes.length;
    let begun = false;
    try {
      this.#db.run("BEGIN IMMEDIATE");
      begun = true;
      for (attempted = 0; attempted < writes.length; ) {
        const done = this.#attempt(writes[attempted++] as QueuedWrite);
        if (done) succeed.push(done);
      }
      this.#db.run("COMMIT");
    } catch (error) {
      for (const write of writes.slice(0, attempted)) write.fail(error);
      if (begun && inTransaction(this.#db)) this.#db.run("ROLLBACK");
      return writes.slice(attempted);
    }
    for (const settle of succeed) settle();
    return [];
  }

  /** Runs one write inside a savepoint. Throws only if SQLite aborted the whole transaction. */
  #attempt(write: QueuedWrite): (() => void) | undefined {
    this.#db.run("SAVEPOINT grouped_write");
    try {
      const settle = write.run();
      this.#db.run("RELEASE grouped_write");
      return settle;
    } catch (error) {
      write.fail(error);
      if (!inTransaction(this.#db)) throw error;
      this.#db.run("ROLLBACK TO grouped_write");
      this.#db.run("RELEASE grouped_write");
      return undefined;
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function inTransaction(db: Database): boolean {
  try {
    return db.inTransaction;
  } catch {
    return false; // closed, and what it had begun is undone
  }
}
