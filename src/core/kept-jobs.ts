/**
 * Background jobs with a persistent record. It is written before a job is acknowledged, so that asking for a
 * job after a restart or crash always yields an answer.
 */
import { join } from "node:path";
import { waitAtMost } from "./extension/timeouts.js";
import { bookIn, type Entry, type JobBook } from "./kept-jobs/book.js";
import { JobRecords } from "./kept-jobs/records.js";
import type { ServiceContext } from "./types.js";

export { KEPT_JOBS } from "./kept-jobs/book.js";

/** The fields of every job. All fields are JSON. */
export interface KeptJob {
  id: string;
  /** `interrupted`: the server or service ended before the job did, so its outcome is unknown. */
  status: "running" | "done" | "failed" | "interrupted";
  /** ISO 8601. */
  startedAt: string;
  /** ISO 8601. Missing when the outcome is unknown. */
  finishedAt?: string;
  /** Why it failed, or that it was interrupted and what to do about it; one line. */
  error?: string;
  /** Set while a restart would lose the job; says why. */
  warning?: string;
  /** Fields that were too large to be persisted. */
  leftOut?: string[];
}

/** The further fields of a kind of job. */
type Further<T extends KeptJob> = Omit<T, keyof KeptJob>;
type Outcome<T extends KeptJob> = Partial<T> & Pick<T, "status">;

/** The part of a service's context that {@link KeptJobs} needs. */
export type KeptJobsHost = Pick<ServiceContext, "dataDir" | "log" | "name" | "onDispose">;

/** Options of {@link KeptJobs}. */
export interface KeptJobsOptions {
  /** The name of the jobs' folder below `<data>/.reef/jobs`. */
  kind: string;
  /** What to do about an interrupted job, as a sentence without its full stop. */
  advice: string;
  /** Whether jobs continue without the version of the service that began them. */
  outlive?: boolean;
}

/**
 * The jobs of one kind of a service. Unfinished jobs are marked as interrupted when the version that began them
 * goes, unless they outlive it. All jobs remain known to the next version and the next server.
 *
 * @example
 * const jobs = new KeptJobs<Errand>(ctx, { kind: "errands", advice: "GET /errands shows what was delivered" });
 * const job = jobs.begin({ to: "ada" });
 * deliver(job.to).then((parcel) => jobs.end(job, { status: "done", parcel }));
 * await jobs.saved(job); // Now it can be acknowledged.
 */
export class KeptJobs<T extends KeptJob> {
  readonly #book: JobBook<T>;
  readonly #own = new Set<T>();
  readonly #advice: string;

  constructor({ dataDir, log, name, onDispose }: KeptJobsHost, { kind, advice, outlive }: KeptJobsOptions) {
    this.#advice = advice;
    const folder = join(dataDir, ".reef", "jobs", kind);
    this.#book = bookIn(folder, () => new JobRecords<T>(folder, log));
    // Disposers run in reverse order, so those registered later have ended their jobs by then.
    onDispose(() => {
      if (!outlive) this.#interrupt(`the service "${name}" was stopped or replaced`);
      return this.#book.saved();
    });
  }

  /** All known jobs, latest first. */
  list(): T[] {
    return [...this.#jobs.values()].map(({ job }) => job).sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** The job with this id. */
  get(id: string): T | undefined {
    return this.#jobs.get(id)?.job;
  }

  /** The number of jobs that are running. */
  get running(): number {
    return [...this.#jobs.values()].filter(({ job }) => job.status === "running").length;
  }

  /** Begins a job with the given further fields. It may be acknowledged once {@link saved} has resolved. */
  begin(further: Further<T>): T {
    const id = Bun.randomUUIDv7();
    const job = { id, ...further, status: "running", startedAt: new Date().toISOString() } as unknown as T;
    this.#own.add(job);
    this.#load();
    this.#book.add(job);
    return job;
  }

  /** Resolves when the job's current state is on disk, or the job has a `warning` that says why it cannot be. */
  async saved({ id }: T): Promise<void> {
    await this.#jobs.get(id)?.saving;
  }

  /** Saves a job's progress. Survives a killed server, but not necessarily a power cut. */
  note({ id }: T): void {
    this.#book.save(id, { durable: false });
  }

  /**
   * Ends a job; only the first end counts. The job appears as running until the outcome is on disk, or cannot
   * be saved; then this resolves.
   */
  async end(job: T, outcome: Outcome<T>): Promise<void> {
    this.#own.delete(job);
    await this.#book.end(job.id, { ...outcome, finishedAt: new Date().toISOString() });
  }

  /**
   * Resolves with the job when it has ended, or as it is after `ms` milliseconds; undefined when no job has
   * this id.
   */
  async wait(id: string, ms: number): Promise<T | undefined> {
    const entry = this.#jobs.get(id);
    if (entry?.job.status === "running") await waitAtMost(entry.end.promise, ms);
    return entry?.job;
  }

  /** The jobs that were interrupted by the end of the server. Each is returned once. */
  takeInterrupted(): T[] {
    this.#load();
    return this.#book.interrupted.splice(0);
  }

  get #jobs(): ReadonlyMap<string, Entry<T>> {
    this.#load();
    return this.#book.entries;
  }

  #load(): void {
    this.#book.load(this.#interruption("the server stopped"));
  }

  #interruption(what: string): string {
    return `${what} before this finished. ${this.#advice}`;
  }

  #interrupt(what: string): void {
    for (const job of this.#own) {
      void this.end(job, { status: "interrupted", error: this.#interruption(what) } as Outcome<T>);
    }
  }
}
