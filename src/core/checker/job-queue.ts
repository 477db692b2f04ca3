/** What waits to be tried, by kind. */
import { type Job, staysAlone } from "./job.js";

export class JobQueue {
  /**
   * The kinds, in the order in which they are handed out. Imports come first: an `init` takes longer, and may be one of
   * many that never end. What needs a process to itself to its end comes last.
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

  /** What has been waiting already comes before the rest of its kind. */
  putBack(jobs: readonly Job[]): void {
    for (const job of jobs.toReversed()) this.#like(job).unshift(job);
  }

  /** Removes and returns the first ones, `count` at most, of those that are of one kind with `job`. */
  take(job: Job, count: number): Job[] {
    return this.#like(job).splice(0, count);
  }

  /** Removes and returns all. */
  takeAll(): Job[] {
    return this.#kinds.flatMap((jobs) => jobs.splice(0));
  }

  #like(job: Job): Job[] {
    return this.#kinds[kindOf(job)] as Job[];
  }
}

/** Its place in the order in which kinds are handed out. */
function kindOf(job: Job): number {
  if (staysAlone(job)) return 3;
  if (job.request.op !== "import") return 2;
  return job.suspected === undefined ? 0 : 1;
}
