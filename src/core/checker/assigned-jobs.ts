/** The jobs that one process for checks has been assigned: what it is at, for how long, and what may have ended it. */
import { type Job, startsAlone, staysAlone } from "./job.js";
import { type CheckAnswer, type CheckRequest, MAX_CONCURRENT, SLOW_MS } from "./messages.js";

/** Jobs that may wait in a process beside those it is at, so that it need not wait for the next message. */
const MAX_QUEUED = 12 * MAX_CONCURRENT;

interface Assigned {
  job: Job;
  /** When the process said that it is at it. */
  begunAt: number | undefined;
  /** When it said so of the last one of several folders. */
  advancedAt?: number;
}

export class AssignedJobs {
  readonly #assigned = new Map<number, Assigned>();
  readonly #now: () => number;
  #numbers = 0;

  /** `now` is a clock, in milliseconds. */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  get size(): number {
    return this.#assigned.size;
  }

  /** Adds jobs; returns what the process is told of them. */
  add(jobs: readonly Job[]): Array<CheckRequest & { number: number }> {
    return jobs.map((job) => {
      this.#assigned.set(++this.#numbers, { job, begunAt: undefined });
      return { ...job.request, number: this.#numbers };
    });
  }

  /** The process is at these. */
  begin(numbers: readonly number[]): void {
    for (const number of numbers) {
      const assigned = this.#assigned.get(number);
      if (assigned) assigned.begunAt ??= this.#now();
    }
  }

  /** The process is at the next folder of these. */
  advance(numbers: readonly number[]): void {
    for (const number of numbers) {
      const assigned = this.#assigned.get(number);
      if (assigned) assigned.advancedAt = this.#now();
    }
  }

  /** What came of one, for who waits for it. */
  answer(number: number, answer: CheckAnswer): void {
    const assigned = this.#assigned.get(number);
    this.#assigned.delete(number);
    assigned?.job.resolve(answer);
  }

  /** How many jobs like this one can be done beside those that are here. */
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

  /** Whether none has shown to take its time: who wants to be alone can be, soon. */
  get areAllFresh(): boolean {
    const now = this.#now();
    for (const one of this.#assigned.values()) if (!isFresh(one, now)) return false;
    return true;
  }

  /** Whether one takes its time beside which nothing else is to go on. */
  get hasExclusive(): boolean {
    for (const one of this.#assigned.values()) {
      if (staysAlone(one.job) && !isFresh(one, this.#now())) return true;
    }
    return false;
  }

  /** Whether there is but one, and the process is at it. */
  get isSingleRunning(): boolean {
    const [first] = this.#assigned.values();
    return this.size === 1 && first?.begunAt !== undefined;
  }

  /** Removes and returns those of which one folder has been going on for `ms` milliseconds. */
  takeOverdue(ms: number): Job[] {
    const isOverdue = (since: number | undefined) => since !== undefined && this.#now() - since >= ms;
    return this.#take(({ begunAt, advancedAt = begunAt }) => isOverdue(advancedAt));
  }

  /** Removes and returns the one that the process is at; undefined when there are several, or none. */
  takeOnlyBegun(): Job | undefined {
    const begun = [...this.#assigned.values()].filter(({ begunAt }) => begunAt !== undefined);
    const [only] = begun.length === 1 ? begun : [];
    return only && this.#take((one) => one === only)[0];
  }

  /** Removes and returns all. Each that the process is at has come under suspicion once more. */
  takeSuspects(): Job[] {
    for (const { job, begunAt } of this.#assigned.values()) {
      if (begunAt !== undefined) job.suspected = (job.suspected ?? 0) + 1;
    }
    return this.#take(() => true);
  }

  /** The same for a process that has not come up: removes and returns those that have met with `most` of that kind. */
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
