/** The jobs that wait to be tried, by kind. */
import { type Job, staysAlone } from "./job.js";

/** Queues jobs by kind. */
export class JobQueue {
  /**
   * The kinds in order of priority. Imports come first: an `init` takes longer and may be one of many that
   * never end. Jobs that need a process to themselves to the end come last.
   */
  readonly #kinds: readonly Job[][] = [[], [], [], []];

  get kinds(): readonly (readonly Job[])[] {
    return this.#kinds;
  }

  get size(): number {
    let size = 0;
    for (const jobs of this.#kinds) size += jobs.length;
    return size;
  }

  add(job: Job): void {
    this.#like(job).push(job);
  }

  /** Returns jobs to the front of their kind: they have waited already. */
  putBack(jobs: readonly Job[]): void {
    for (const job of jobs.toReversed()) this.#like(job).unshift(job);
  }

  /** Removes and returns up to `count` of the first jobs of the same kind as `job`. */
  take(job: Job, count: number): Job[] {
    return this.#like(job).splice(0, count);
  }

  /** Removes and returns all jobs. */
  takeAll(): Job[] {
    return this.#kinds.flatMap((jobs) => jobs.splice(0));
  }

  #like(job: Job): Job[] {
    return this.#kinds[kindOf(job)] as Job[];
  }
}

/** The index of a job's kind. */
function kindOf(job: Job): number {
  if (staysAlone(job)) return 3;
  if (job.request.op !== "import") return 2;
  return job.suspected === undefined ? 0 : 1;
}
