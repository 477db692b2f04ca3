/** Deploys that nobody holds a request open for: each goes on by itself, and says later what came of it. */
import { messageOf, ReefError } from "../../src/core/errors.js";
import { KEPT_JOBS, type KeptJob, KeptJobs } from "../../src/core/kept-jobs.js";
import type { ServiceContext } from "../../src/core/types.js";
import type { DeployResult } from "./deploy.js";
import type { DeployReport } from "./report.js";

/** How many may be under way: those of one service wait for each other. */
const MOST_AT_ONCE = 50;

const WHAT_SERVES = "GET /services/<name> shows which version is serving, and since when";
const NO_JOB = `deploy not found: only running background deploys and the latest ${KEPT_JOBS} finished ones are kept. ${WHAT_SERVES}`;
const ADVICE = `${WHAT_SERVES}: deploy again if that is not the expected one`;

/** One deploy, as callers see it. Where it `failed`, what served before serves on. */
export interface DeployJob extends KeptJob {
  /** The service or its folder, as it was asked for. */
  name: string;
  /** What the request would have been answered with, had it waited. */
  report?: DeployReport;
  /** The HTTP status of that answer. */
  reportStatus?: number;
}

export class DeployJobs {
  readonly #jobs: KeptJobs<DeployJob>;

  constructor(ctx: ServiceContext) {
    this.#jobs = new KeptJobs(ctx, { kind: "deploys", advice: ADVICE });
  }

  /** Begins one; resolves with the job, as it was then, once it will be known after a crash. */
  async begin(name: string, deploy: () => Promise<DeployResult>): Promise<DeployJob> {
    if (this.#jobs.running >= MOST_AT_ONCE) {
      const why = `${MOST_AT_ONCE} background deploys are running; try again when one has finished`;
      throw new ReefError("TOO_MANY_REQUESTS", why);
    }
    const job = this.#jobs.begin({ name });
    const begun = { ...job };
    void this.#follow(job, deploy());
    await this.#jobs.saved(job);
    return { ...begun, ...(job.warning !== undefined && { warning: job.warning }) };
  }

  /** The job, as it is when it has ended, or else after `waitMs` milliseconds. Rejects with `NOT_FOUND`. */
  async get(id: string, waitMs: number): Promise<DeployJob> {
    const job = await this.#jobs.wait(id, waitMs);
    if (!job) throw new ReefError("NOT_FOUND", NO_JOB);
    return job;
  }

  /** Those that the end of the server cut off, for those who saw them begin. Each is handed out once. */
  takeInterrupted(): DeployJob[] {
    return this.#jobs.takeInterrupted();
  }

  /** Notes in `job` what comes of it. Never rejects. */
  async #follow(job: DeployJob, running: Promise<DeployResult>): Promise<void> {
    try {
      const { report, status } = await running;
      const { deployed, error } = report;
      const outcome = { report, reportStatus: status, ...(error !== undefined && { error }) };
      await this.#jobs.end(job, { status: deployed ? "done" : "failed", ...outcome });
    } catch (error) {
      await this.#jobs.end(job, { status: "failed", reportStatus: 500, error: messageOf(error) });
    }
  }
}
