/** Jobs in memory, and when they are written and let go of. */
import { inHost } from "../generation/host-context.js";
import type { KeptJob } from "../kept-jobs.js";
import type { JobRecords } from "./records.js";

/** How many are kept that have ended, besides all that run. */
export const KEPT_JOBS = 50;

export interface Entry<T> {
  job: T;
  /** How it has ended, until that is on disk and may be told. */
  outcome?: Partial<T>;
  /** Resolves when it has ended. */
  end: PromiseWithResolvers<void>;
  /** Resolves when all that was to be written has been, or cannot be. Never rejects. */
  saving: Promise<void>;
  /** Whether it is about to be written as it will be then. */
  isQueued: boolean;
}

/** All jobs of one kind. The versions of a service share it: a job ends after the version that began it has gone. */
export class JobBook<T extends KeptJob> {
  /** Those that have ended are in the order in which they did. */
  readonly entries = new Map<string, Entry<T>>();
  readonly interrupted: T[] = [];
  readonly #records: JobRecords<T>;
  #isLoaded = false;
  #removing: Promise<void> = Promise.resolve();

  constructor(records: JobRecords<T>) {
    this.#records = records;
  }

  /** Reads what earlier processes left, once: most starts need not. `error` is for what they have not finished. */
  load(error: string): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    const jobs = this.#records.read();
    const [cutOff = [], ended = []] = [true, false].map((isRunning) =>
      jobs.filter(({ status }) => (status === "running") === isRunning),
    );
    for (const job of ended) this.#put(job);
    // Whoever asks for these has not heard of their end, so they are the last to be let go of.
    for (const job of cutOff) {
      Object.assign(job, { status: "interrupted", error });
      this.#put(job);
      this.interrupted.push(job);
      this.save(job.id, false);
    }
    this.#evict();
  }

  add(job: T): void {
    this.#put(job);
    this.save(job.id, true);
  }

  /** Resolves when the job has ended for everybody: that is on disk by then, or cannot be. */
  async end(id: string, outcome: Partial<T>): Promise<void> {
    const entry = this.entries.get(id);
    if (entry?.job.status !== "running") return;
    if (!entry.outcome) {
      entry.outcome = outcome;
      this.save(id, true);
    }
    await entry.end.promise;
  }

  save(id: string, durable: boolean): void {
    const entry = this.entries.get(id);
    if (!entry || (entry.isQueued && !durable)) return;
    entry.isQueued = true;
    // The service that keeps it may go before it is written.
    entry.saving = inHost(() => entry.saving.then(() => this.#write(entry, durable)));
  }

  async #write(entry: Entry<T>, durable: boolean): Promise<void> {
    entry.isQueued = false;
    const { job, outcome } = entry;
    const why = await this.#records.write({ ...job, ...outcome }, durable);
    // What is told must not be another after a crash.
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
    // The order of their ends decides which are let go of: one that took long has only just ended.
    this.entries.delete(job.id);
    this.entries.set(job.id, entry);
    entry.end.resolve();
    this.#evict();
  }

  /** There may be room by now. */
  #saveUnsaved(): void {
    for (const { job, isQueued } of this.entries.values()) {
      if (job.warning !== undefined && !isQueued) this.save(job.id, true);
    }
  }

  /** Resolves when nothing is being written, and what could not be has been tried once more. */
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

export function bookIn<T extends KeptJob>(folder: string, records: () => JobRecords<T>): JobBook<T> {
  let book = books.get(folder) as JobBook<T> | undefined;
  if (!book) {
    book = new JobBook(records());
    books.set(folder, book as unknown as JobBook<never>);
  }
  return book;
}
