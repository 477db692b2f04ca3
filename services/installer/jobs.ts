/** What the installer is doing and has done: one job for each install, update, rollback and removal. */
import { type KeptJob, KeptJobs } from "../../src/core/kept-jobs.js";
import type { ServiceContext, ServiceEventBus } from "../../src/core/types.js";
import { InstallError, type Step } from "./errors.js";

export type Action = "install" | "update" | "rollback" | "remove";

export interface JobStep {
  step: Step;
  status: "running" | "done" | "failed" | "skipped";
  detail?: string;
  /** ISO 8601: when it began. */
  at: string;
}

/** One job, as callers see it. */
export interface Job extends KeptJob {
  action: Action;
  dirName: string;
  /** What is being installed, without secrets. */
  source: string;
  steps: JobStep[];
  /** What the request is answered with, once it is done. */
  result?: Record<string, unknown>;
  /** The HTTP status of `error`. */
  errorStatus?: number;
}

/** The event of each step: `{ id, action, dirName, step, status, detail? }`. */
export const PROGRESS_EVENT = "installer:progress";

const PAST: Record<Action, string> = {
  install: "Installed",
  update: "Updated",
  rollback: "Rolled back",
  remove: "Removed",
};

const ADVICE = "The next start undoes or completes it: GET /installer/installed shows the result";

/** The latest jobs, of which the event bus is told. */
export class Jobs {
  readonly #events: ServiceEventBus;
  readonly #jobs: KeptJobs<Job>;

  constructor(ctx: ServiceContext) {
    this.#events = ctx.events;
    this.#jobs = new KeptJobs(ctx, { kind: "installer", advice: ADVICE });
  }

  /** Latest first. */
  list(): Job[] {
    return this.#jobs.list();
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  get running(): number {
    return this.#jobs.running;
  }

  /** `clean` takes secrets out of whatever will be shown. */
  begin(action: Action, dirName: string, source: string, clean: (text: string) => string): Progress {
    const job = this.#jobs.begin({ action, dirName, source, steps: [] });
    return new Progress(job, this.#jobs, this.#events, clean);
  }

  /** Resolves when the job may be acknowledged: it will be known after a crash, or has a `warning`. */
  saved(job: Job): Promise<void> {
    return this.#jobs.saved(job);
  }

  /** Tells of the jobs that the end of the server cut off, for those who saw them begin. */
  tellInterrupted(): void {
    for (const job of this.#jobs.takeInterrupted()) announce(this.#events, job);
  }
}

/** Reports the steps of one job while it runs. */
export class Progress {
  constructor(
    readonly job: Job,
    private readonly jobs: KeptJobs<Job>,
    private readonly events: ServiceEventBus,
    private readonly clean: (text: string) => string,
  ) {}

  /** Runs one step; `fn` may return a detail to show. A failure is noted and passed on. */
  async step<T>(step: Step, fn: () => Promise<T>, detail?: (result: T) => string | undefined): Promise<T> {
    const entry: JobStep = { step, status: "running", at: new Date().toISOString() };
    this.job.steps.push(entry);
    this.#tell(entry);
    try {
      const result = await fn();
      entry.status = "done";
      const text = detail?.(result);
      if (text !== undefined) entry.detail = text;
      this.#tell(entry);
      return result;
    } catch (error) {
      entry.status = "failed";
      if (error instanceof InstallError) entry.detail = this.clean(error.message);
      this.#tell(entry);
      throw error;
    }
  }

  skip(step: Step, detail: string): void {
    const entry: JobStep = { step, status: "skipped", detail, at: new Date().toISOString() };
    this.job.steps.push(entry);
    this.#tell(entry);
  }

  /** Resolves when that is on disk, or cannot be. */
  async done(result: Record<string, unknown>): Promise<void> {
    await this.jobs.end(this.job, { status: "done", result });
    announce(this.events, this.job);
  }

  async failed(error: string, errorStatus: number): Promise<void> {
    await this.jobs.end(this.job, { status: "failed", error, errorStatus });
    announce(this.events, this.job);
  }

  #tell({ step, status, detail }: JobStep): void {
    const { id, action, dirName } = this.job;
    this.jobs.note(this.job);
    this.events.fire(PROGRESS_EVENT, {
      id,
      action,
      dirName,
      step,
      status,
      ...(detail !== undefined && { detail }),
    });
  }
}

/** The outcome is for people and agents to see, so it also goes into the event tree. */
function announce(events: ServiceEventBus, job: Job): void {
  const { id, action, dirName, source, status } = job;
  events.fire(PROGRESS_EVENT, { id, action, dirName, step: "end", status });
  events.fire("reef:event", {
    type: `installer_${action}_${status}`,
    source: "installer",
    content: contentOf(job),
    metadata: { id, dirName, source },
  });
}

function contentOf({ action, dirName, status, error }: Job): string {
  if (status === "done") return `${PAST[action]} ${dirName}`;
  // Whether it was done is not known.
  if (status === "interrupted") return `Interrupted: ${action} ${dirName}: ${error}`;
  return `Could not ${action} ${dirName}: ${error}`;
}
