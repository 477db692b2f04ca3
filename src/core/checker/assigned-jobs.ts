/**
 * The jobs assigned to one child process: which are running, for how long, and which may have ended the
 * process.
 */
import { type Job, startsAlone, staysAlone } from "./job.js";
import { type CheckAnswer, type CheckRequest, MAX_CONCURRENT, SLOW_MS } from "./messages.js";

/** How many jobs may be queued in a child beside those that run, so that it need not wait for the next message. */
const MAX_QUEUED = 12 * MAX_CONCURRENT;

interface Assigned {
  job: Job;
  /** When the child reported it as begun. */
  begunAt: number | undefined;
  /** When the child last reported the next of several folders. */
  advancedAt?: number;
}

/** Tracks the jobs of one child process. */
export class AssignedJobs {
  readonly #assigned = new Map<number, Assigned>();
  readonly #now: () => number;
  #numbers = 0;

  /** @param now A monotonic clock in milliseconds. */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  get size(): number {
    return this.#assigned.size;
  }

  /** Adds jobs. Returns the messages for the child. */
  add(jobs: readonly Job[]): Array<CheckRequest & { number: number }> {
    return jobs.map((job) => {
      this.#assigned.set(++this.#numbers, { job, begunAt: undefined });
      return { ...job.request, number: this.#numbers };
    });
  }

  /** The child has begun these jobs. */
  begin(numbers: readonly number[]): void {
    for (const number of numbers) {
      const assigned = this.#assigned.get(number);
      if (assigned) assigned.begunAt ??= this.#now();
    }
  }

  /** The child has come to the next folder of these jobs. */
  advance(numbers: readonly number[]): void {
    for (const number of numbers) {
      const assigned = this.#assigned.get(number);
      if (assigned) assigned.advancedAt = this.#now();
    }
  }

  /** Resolves a job with its answer. */
  answer(number: number, answer: CheckAnswer): void {
    const assigned = this.#assigned.get(number);
    this.#assigned.delete(number);
    assigned?.job.resolve(answer);
  }

  /** How many jobs like this one can be added to the current ones. */
  roomFor(job: Job): number {
    let fresh = 0;
    const now = this.#now();
    for (const one of this.#assigned.values()) {
      if (!isFresh(one, now)) continue;
      if (startsAlone(one.job)) return 0;
      fresh++;
    }
    if (startsAlone(job)) return (staysAlone(job) ? this.size : fresh) === 0 ? 1 : 0;
    return Math.max(0, MAX_QUEUED - fresh);
  }

  /** Whether no job is slow, so that a job that must run alone soon can. */
  get areAllFresh(): boolean {
    const now = this.#now();
    for (const one of this.#assigned.values()) if (!isFresh(one, now)) return false;
    return true;
  }

  /** Whether a slow job is running that must run alone to its end. */
  get hasExclusive(): boolean {
    for (const one of this.#assigned.values()) {
      if (staysAlone(one.job) && !isFresh(one, this.#now())) return true;
    }
    return false;
  }

  /** Whether there is exactly one job and it has begun. */
  get isSingleRunning(): boolean {
    const [first] = this.#assigned.values();
    return this.size === 1 && first?.begunAt !== undefined;
  }

  /** Removes and returns jobs whose current folder has taken `ms` milliseconds or more. */
  takeOverdue(ms: number): Job[] {
    const isOverdue = (since: number | undefined) => since !== undefined && this.#now() - since >= ms;
    return this.#take(({ begunAt, advancedAt = begunAt }) => isOverdue(advancedAt));
  }

  /** Removes and returns the only job that has begun; undefined when there are several, or none. */
  takeOnlyBegun(): Job | undefined {
    const begun = [...this.#assigned.values()].filter(({ begunAt }) => begunAt !== undefined);
    const [only] = begun.length === 1 ? begun : [];
    return only && this.#take((one) => one === only)[0];
  }

  /** Removes and returns all jobs. Those that have begun come under suspicion once more. */
  takeSuspects(): Job[] {
    for (const { job, begunAt } of this.#assigned.values()) {
      if (begunAt !== undefined) job.suspected = (job.suspected ?? 0) + 1;
    }
    return this.#take(() => true);
  }

  /**
   * For a child that failed to start: counts that for each job; removes and returns jobs with `max` failed
   * starts.
   */
  takeUnstartable(most: number): Job[] {
    for (const { job } of this.#assigned.values()) job.lost = (job.lost ?? 0) + 1;
    return this.#take(({ job }) => (job.lost ?? 0) >= most);
  }

  /** Removes and returns all. */
  takeAll(): Job[] {
    return this.#take(() => true);
  }

  #take(which: (one: Assigned) => boolean): Job[] {
    const taken: Job[] = [];
    for (const [number, one] of this.#assigned) {
      if (!which(one)) continue;
      this.#assigned.delete(number);
      taken.push(one.job);
    }
    return taken;
  }
}

function isFresh({ begunAt }: Assigned, now: number): boolean {
  return begunAt === undefined || now - begunAt < SLOW_MS;
}
