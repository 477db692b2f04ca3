/** Deploys that nobody holds a request open for: each goes on by itself, and says later what came of it. */
import { messageOf, ReefError } from "../../src/core/errors.js";
import { KEPT_JOBS, keepJob } from "../../src/core/kept-jobs.js";
import type { DeployResult } from "./deploy.js";
import type { DeployReport } from "./report.js";

const NO_JOB =
  `there is no such deploy: the latest ${KEPT_JOBS} that were begun in the background are kept, and none over a ` +
  "restart. GET /services/<name> shows what serves, and since when";

/** One deploy, as callers see it. */
export interface DeployJob {
  id: string;
  name: string;
  /** `failed`: what served before serves on. */
  status: "running" | "done" | "failed";
  /** ISO 8601. */
  startedAt: string;
  finishedAt?: string;
  /** What the request would have been answered with, had it waited. */
  report?: DeployReport;
  /** The HTTP status of that answer. */
  reportStatus?: number;
  /** Why it failed, on one line. */
  error?: string;
}

interface Kept {
  job: DeployJob;
  ended: Promise<void>;
}

/** Keeps the latest ones in memory. */
export class DeployJobs {
  readonly #kept = new Map<string, Kept>();

  begin(name: string, running: Promise<DeployResult>): DeployJob {
    const job: DeployJob = {
      id: Bun.randomUUIDv7(),
      name,
      status: "running",
      startedAt: new Date().toISOString(),
    };
    const kept = { job, ended: follow(job, running) };
    keepJob(this.#kept, job.id, kept, ({ job }) => job.status === "running");
    return job;
  }

  /** The job, as it is when it has ended, or else after `waitMs` milliseconds. Rejects with `NOT_FOUND`. */
  async get(id: string, waitMs: number): Promise<DeployJob> {
    const kept = this.#kept.get(id);
    if (!kept) throw new ReefError("NOT_FOUND", NO_JOB);
    if (kept.job.status === "running") await Promise.race([kept.ended, Bun.sleep(waitMs)]);
    return kept.job;
  }
}

/** Notes in `job` what comes of it. Never rejects. */
async function follow(job: DeployJob, running: Promise<DeployResult>): Promise<void> {
  try {
    const { report, status } = await running;
    const { deployed, error } = report;
    Object.assign(job, { status: deployed ? "done" : "failed", report, reportStatus: status });
    if (error !== undefined) job.error = error;
  } catch (error) {
    Object.assign(job, { status: "failed", reportStatus: 500, error: messageOf(error) });
  }
  job.finishedAt = new Date().toISOString();
}
