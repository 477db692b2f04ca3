/** What the installer is doing and has done: one job for each install, update, rollback and removal. */
import { keepJob } from "../../src/core/kept-jobs.js";
import type { ServiceEventBus } from "../../src/core/types.js";
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
export interface Job {
  id: string;
  action: Action;
  dirName: string;
  /** What is being installed, without secrets. */
  source: string;
  status: "running" | "done" | "failed";
  steps: JobStep[];
  /** ISO 8601. */
  startedAt: string;
  finishedAt?: string;
  /** What the request is answered with, once it is done. */
  result?: Record<string, unknown>;
  error?: string;
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

/** Keeps the latest jobs in memory and tells the event bus about them. */
export class Jobs {
  readonly #events: ServiceEventBus;
  readonly #jobs = new Map<string, Job>();

  constructor(events: ServiceEventBus) {
    this.#events = events;
  }

  /** Latest first. */
  list(): Job[] {
    return [...this.#jobs.values()].reverse();
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  get running(): number {
    return this.list().filter(({ status }) => status === "running").length;
  }

  /** `clean` takes secrets out of whatever will be shown. */
  begin(action: Action, dirName: string, source: string, clean: (text: string) => string): Progress {
    const startedAt = new Date().toISOString();
    const job: Job = {
      id: Bun.randomUUIDv7(),
      action,
      dirName,
      source,
      status: "running",
      steps: [],
      startedAt,
    };
    keepJob(this.#jobs, job.id, job, ({ status }) => status === "running");
    return new Progress(job, this.#events, clean);
  }
}

/** Reports the steps of one job while it runs. */
export class Progress {
  readonly job: Job;
  readonly #events: ServiceEventBus;
  readonly #clean: (text: string) => string;

  constructor(job: Job, events: ServiceEventBus, clean: (text: string) => string) {
    this.job = job;
    this.#events = events;
    this.#clean = clean;
  }

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
      if (error instanceof InstallError) entry.detail = this.#clean(error.message);
      this.#tell(entry);
      throw error;
    }
  }

  skip(step: Step, detail: string): void {
    const entry: JobStep = { step, status: "skipped", detail, at: new Date().toISOString() };
    this.job.steps.push(entry);
    this.#tell(entry);
  }

  done(result: Record<string, unknown>): void {
    this.job.status = "done";
    this.job.finishedAt = new Date().toISOString();
    this.job.result = result;
    this.#announce("done", `${PAST[this.job.action]} ${this.job.dirName}`);
  }

  failed(error: string, status: number): void {
    this.job.status = "failed";
    this.job.finishedAt = new Date().toISOString();
    this.job.error = error;
    this.job.errorStatus = status;
    this.#announce("failed", `Could not ${this.job.action} ${this.job.dirName}: ${error}`);
  }

  #tell({ step, status, detail }: JobStep): void {
    const { id, action, dirName } = this.job;
    this.#events.fire(PROGRESS_EVENT, {
      id,
      action,
      dirName,
      step,
      status,
      ...(detail !== undefined && { detail }),
    });
  }

  /** The outcome is for people and agents to see, so it also goes into the event tree. */
  #announce(status: "done" | "failed", content: string): void {
    const { id, action, dirName, source } = this.job;
    this.#events.fire(PROGRESS_EVENT, { id, action, dirName, step: "end", status });
    const type = `installer_${action}_${status}`;
    this.#events.fire("reef:event", {
      type,
      source: "installer",
      content,
      metadata: { id, dirName, source },
    });
  }
}
