/**
 * Jobs that go on by themselves and say later what came of them. Each has a record on disk from before it is
 * acknowledged, so that whoever asks for one after a restart or a crash gets an answer.
 */
import { join } from "node:path";
import { within } from "./extension/alive.js";
import { bookIn, type Entry, type JobBook } from "./kept-jobs/book.js";
import { JobRecords } from "./kept-jobs/records.js";
import type { ServiceContext } from "./types.js";

export { KEPT_JOBS } from "./kept-jobs/book.js";

/** What every kind of job says of itself. All of it is JSON. */
export interface KeptJob {
  id: string;
  /** `interrupted`: what did it ended before it was done, so nobody saw what came of it. */
  status: "running" | "done" | "failed" | "interrupted";
  /** ISO 8601. */
  startedAt: string;
  /** ISO 8601. Missing where nobody saw the end. */
  finishedAt?: string;
  /** Why it failed, or that it was interrupted and what to do, on one line. */
  error?: string;
  /** That it would be forgotten over a restart, and why. */
  warning?: string;
  /** Fields that were too big to be kept over a restart. */
  leftOut?: string[];
}

/** What else a job of a kind has. */
type Further<T extends KeptJob> = Omit<T, keyof KeptJob>;
type Outcome<T extends KeptJob> = Partial<T> & Pick<T, "status">;
type Host = Pick<ServiceContext, "dataDir" | "log" | "name" | "onDispose">;

export interface KeptJobsOptions {
  /** The name of their folder below `<data>/.reef/jobs`. */
  kind: string;
  /** What to do about a job that was interrupted, as a sentence without its full stop. */
  advice: string;
  /** Whether they need nothing of the version that began them, and go on without it. */
  outlive?: boolean;
}

/**
 * The jobs of one kind that a version of a service does and knows of. What it has not finished is interrupted when it
 * goes, unless that goes on without it. The next version knows all of them, and so does the next server.
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

  constructor({ dataDir, log, name, onDispose }: Host, { kind, advice, outlive }: KeptJobsOptions) {
    this.#advice = advice;
    const folder = join(dataDir, ".reef", "jobs", kind);
    this.#book = bookIn(folder, () => new JobRecords<T>(folder, log));
    // What is taken up after this, and ends jobs, has done so by then.
    onDispose(() => {
      if (!outlive) this.#interrupt(`the service "${name}" was stopped or replaced`);
      return this.#book.saved();
    });
  }

  /** Latest first. */
  list(): T[] {
    return [...this.#jobs.values()].map(({ job }) => job).sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  get(id: string): T | undefined {
    return this.#jobs.get(id)?.job;
  }

  get running(): number {
    return this.list().filter(({ status }) => status === "running").length;
  }

  /** Takes up a job. It is safe to acknowledge it once {@link saved} has resolved. */
  begin(further: Further<T>): T {
    const id = Bun.randomUUIDv7();
    const job = { id, ...further, status: "running", startedAt: new Date().toISOString() } as unknown as T;
    this.#own.add(job);
    this.#load();
    this.#book.add(job);
    return job;
  }

  /** Resolves when the job is on disk as it is now, or has a `warning` that says why it cannot be. */
  async saved({ id }: T): Promise<void> {
    await this.#jobs.get(id)?.saving;
  }

  /** The job has come further: what is known of it if the server is killed, not if the power fails. */
  note({ id }: T): void {
    this.#book.save(id, false);
  }

  /**
   * The job has ended. The first end counts. It is running for everybody until that is on disk, or cannot be; then this
   * resolves.
   */
  async end(job: T, outcome: Outcome<T>): Promise<void> {
    this.#own.delete(job);
    await this.#book.end(job.id, { ...outcome, finishedAt: new Date().toISOString() });
  }

  /** The job, as it is when it has ended, or else after `ms` milliseconds. Undefined when there is none of this id. */
  async wait(id: string, ms: number): Promise<T | undefined> {
    const entry = this.#jobs.get(id);
    if (entry?.job.status === "running") await within(entry.end.promise, ms);
    return entry?.job;
  }

  /** Those that the server, as it ended, left under way. Each is handed out once. */
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
