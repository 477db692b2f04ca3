/** Calls that take longer than their callers wait for: they go on, and say later what came of them. */
import { LATE, within } from "../core/extension/alive.js";
import { type KeptJob, KeptJobs } from "../core/kept-jobs.js";
import type { ServiceContext } from "../core/types.js";

/**
 * After how long a call is answered without its result, in milliseconds. Most clients give up after a minute, and
 * notices of progress make few of them wait longer.
 */
const ANSWER_AFTER_MS = 45_000;

const ADVICE = "It may have made changes: check them before calling the tool again";

/** A call that was answered before it was done. */
export interface LongCall<T> extends KeptJob {
  /** What was called. */
  name: string;
  /** What it resolved with. */
  result?: T;
}

/** `T` is what calls resolve with, which is JSON; none of them rejects. */
export class LongCalls<T> {
  readonly #jobs: KeptJobs<LongCall<T>>;

  constructor(
    ctx: Pick<ServiceContext, "dataDir" | "log" | "name" | "onDispose">,
    private readonly answerAfterMs = ANSWER_AFTER_MS,
  ) {
    // They run in the services whose tools are called.
    this.#jobs = new KeptJobs(ctx, { kind: "calls", advice: ADVICE, outlive: true });
  }

  /**
   * Resolves with what the call resolves with; once it has taken too long, with the call, which by then is known
   * after a crash.
   *
   * @param client Aborted when the caller has gone. Ends the call while its result is waited for here, not later.
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
    const result = await within(running, this.answerAfterMs);
    client?.removeEventListener("abort", abort);
    return result === LATE ? this.#keep(name, running) : { result };
  }

  /** A call that was answered before it was done, as it is when it has ended or been waited for long enough. */
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
