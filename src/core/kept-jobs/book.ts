/** Jobs in memory: when they are saved, and when they are evicted. */
import { inHost } from "../generation/host-context.js";
import type { KeptJob } from "../kept-jobs.js";
import type { JobRecords } from "./records.js";

/** The number of ended jobs kept, in addition to those that run. */
export const KEPT_JOBS = 50;

/** A job with its pending operations. */
export interface Entry<T> {
  job: T;
  /** The outcome, until it is on disk and may be published. */
  outcome?: Partial<T>;
  /** Resolves when the job has ended. */
  end: PromiseWithResolvers<void>;
  /** Resolves when all pending writes are done or have failed. Never rejects. */
  saving: Promise<void>;
  /** Whether a write is queued that will include later changes. */
  isQueued: boolean;
}

/** All jobs of one kind, shared by the versions of a service: a job may end after the version that began it. */
export class JobBook<T extends KeptJob> {
  /** Ended jobs are in the order in which they ended. */
  readonly entries = new Map<string, Entry<T>>();
  readonly interrupted: T[] = [];
  readonly #records: JobRecords<T>;
  #isLoaded = false;
  #removing: Promise<void> = Promise.resolve();

  constructor(records: JobRecords<T>) {
    this.#records = records;
  }

  /** Reads the records of earlier processes, once and on demand. `error` is set on unfinished ones. */
  load(error: string): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    const jobs = this.#records.read();
    const isRunning = ({ status }: T) => status === "running";
    for (const job of jobs) if (!isRunning(job)) this.#put(job);
    // Interrupted jobs come last, to be evicted last: nobody has seen their end yet.
    for (const job of jobs.filter(isRunning)) {
      Object.assign(job, { status: "interrupted", error });
      this.#put(job);
      this.interrupted.push(job);
      this.save(job.id, { durable: false });
    }
    this.#evict();
  }

  /** Adds a job and saves it durably. */
  add(job: T): void {
    this.#put(job);
    this.save(job.id, { durable: true });
  }

  /** Ends a job. Resolves once the outcome is on disk, or cannot be saved, and has been published. */
  async end(id: string, outcome: Partial<T>): Promise<void> {
    const entry = this.entries.get(id);
    if (entry?.job.status !== "running") return;
    if (!entry.outcome) {
      entry.outcome = outcome;
      this.save(id, { durable: true });
    }
    await entry.end.promise;
  }

  /** Queues a write of a job's current state; `durable` syncs it to disk. */
  save(id: string, { durable }: { durable: boolean }): void {
    const entry = this.entries.get(id);
    if (!entry || (entry.isQueued && !durable)) return;
    entry.isQueued = true;
    // In the host's context: the service may go before the write is done.
    entry.saving = inHost(() => entry.saving.then(() => this.#write(entry, durable)));
  }

  async #write(entry: Entry<T>, durable: boolean): Promise<void> {
    entry.isQueued = false;
    const { job, outcome } = entry;
    const why = await this.#records.write({ ...job, ...outcome }, durable);
    // An outcome is published only after it is saved, so that a crash cannot change it.
    if (outcome && durable) this.#settle(entry, outcome);
    if (why !== undefined) {
      job.warning = `this will be lost when the server restarts: ${why}`;
      return;
    }
    delete job.warning;
    this.#saveUnsaved();
  }

  #settle(entry: Entry<T>, outcome: Partial<T>): void {
    const { job } = entry;
    entry.outcome = undefined;
    Object.assign(job, outcome);
    // Re-inserted at the end: eviction is in the order in which jobs ended.
    this.entries.delete(job.id);
    this.entries.set(job.id, entry);
    entry.end.resolve();
    this.#evict();
  }

  /** Retries jobs that could not be saved. */
  #saveUnsaved(): void {
    for (const { job, isQueued } of this.entries.values()) {
      if (job.warning !== undefined && !isQueued) this.save(job.id, { durable: true });
    }
  }

  /** Resolves when no write is pending; jobs that could not be saved are retried once. */
  async saved(): Promise<void> {
    this.#saveUnsaved();
    await Promise.all(Array.from(this.entries.values(), ({ saving }) => saving));
    await this.#removing;
  }

  #put(job: T): void {
    const entry = { job, end: Promise.withResolvers<void>(), saving: Promise.resolve(), isQueued: false };
    this.entries.set(job.id, entry);
  }

  #evict(): void {
    const ended = [...this.entries.values()].filter(({ job }) => job.status !== "running");
    for (const { job, saving } of ended.slice(0, -KEPT_JOBS)) {
      this.entries.delete(job.id);
      const remove = () => this.#records.remove(job.id);
      this.#removing = inHost(() => Promise.all([this.#removing, saving]).then(remove));
    }
  }
}

const books = new Map<string, JobBook<never>>();

/** The shared book of a folder, created with `records` if there is none. */
export function bookIn<T extends KeptJob>(folder: string, records: () => JobRecords<T>): JobBook<T> {
  let book = books.get(folder) as JobBook<T> | undefined;
  if (!book) {
    book = new JobBook(records());
    books.set(folder, book as unknown as JobBook<never>);
  }
  return book;
}
