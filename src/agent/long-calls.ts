/** Calls that take longer than their callers wait: they continue, and their results are available later. */
import { TIMED_OUT, waitAtMost } from "../core/extension/timeouts.js";
import { type KeptJob, KeptJobs, type KeptJobsHost } from "../core/kept-jobs.js";

/**
 * After how long a call is answered without its result, in milliseconds. Most clients time out after a minute,
 * even with progress notifications.
 */
const ANSWER_AFTER_MS = 45_000;

const ADVICE = "It may have made changes: check them before calling the tool again";

/** A call that was answered before it had finished. */
export interface LongCall<T> extends KeptJob {
  /** The name of the tool. */
  name: string;
  /** Its result. */
  result?: T;
}

/**
 * Runs calls, and keeps those that take long as jobs. `T` is the type of results, which are JSON; calls never
 * reject.
 */
export class LongCalls<T> {
  readonly #jobs: KeptJobs<LongCall<T>>;

  constructor(
    ctx: KeptJobsHost,
    private readonly answerAfterMs = ANSWER_AFTER_MS,
  ) {
    // The calls run in the services that own the tools, not in this one.
    this.#jobs = new KeptJobs(ctx, { kind: "calls", advice: ADVICE, outlive: true });
  }

  /**
   * Starts a call. Resolves with its result, or, after the time limit, with a job that survives a crash.
   *
   * @param client Aborted when the caller disconnects, which aborts the call only while its result is awaited
   *   here.
   */
  async begin(
    name: string,
    start: (signal: AbortSignal) => Promise<T>,
    client?: AbortSignal,
  ): Promise<{ result: T } | LongCall<T>> {
    const controller = new AbortController();
    const abort = () => controller.abort(client?.reason);
    if (client?.aborted) abort();
    client?.addEventListener("abort", abort);
    const running = start(controller.signal);
    const result = await waitAtMost(running, this.answerAfterMs);
    client?.removeEventListener("abort", abort);
    return result === TIMED_OUT ? this.#keep(name, running) : { result };
  }

  /** Waits for a long call. Resolves with its job when it has ended, or after the time limit. */
  wait(id: string): Promise<LongCall<T> | undefined> {
    return this.#jobs.wait(id, this.answerAfterMs);
  }

  async #keep(name: string, running: Promise<T>): Promise<LongCall<T>> {
    const job = this.#jobs.begin({ name });
    const begun = { ...job };
    void running.then((result) => this.#jobs.end(job, { status: "done", result }));
    await this.#jobs.saved(job);
    return begun;
  }
}
