/** The requests behind the manager's tools, and what the model is told when one fails. */
import type { FleetError } from "../../src/core/client.js";
import type { FleetClient } from "../../src/core/types.js";
import type { DeployJob } from "./deploy-jobs.js";
import type { DeployReport } from "./report.js";

export interface Call {
  method: "GET" | "POST" | "DELETE";
  path: string;
  body?: unknown;
}

/** As much of a step's detail as a model is shown, in characters: it begins with what failed and ends with why. */
const DETAIL_START = 1000;
const DETAIL_END = 5000;

/**
 * How long a change may take, in milliseconds, since it waits for others. Node and Bun give up what has not begun to
 * answer after 300 s.
 */
const CHANGE_LIMIT_MS = 290_000;

/** Statuses of calls that may have arrived: no reply, and what proxies say when they do not wait any longer. */
const UNANSWERED = new Set([0, 502, 504]);

const UNKNOWN =
  "The change may still be running or may have finished: services_inspect shows which version is serving, and since when";

/** Resolves with the server's answer; rejects with what the model is to read. */
export async function send(client: FleetClient, call: Call): Promise<unknown> {
  const { method, path, body } = call;
  try {
    return await client.api<unknown>(
      method,
      path,
      body,
      method === "GET" ? {} : { timeoutMs: CHANGE_LIMIT_MS },
    );
  } catch (error) {
    if (!isFleetError(error)) throw error;
    throw new Error(reasonOf(error, call), { cause: error });
  }
}

/** How long the server is to wait for the end of a deploy before it answers, in seconds. */
const WAIT_S = 20;

/** The same with the time that a restart takes, which the deploy is known after, in milliseconds. */
const WAIT_LIMIT_MS = 50_000;

/** Waits for a deploy that goes on by itself: no request has to last as long as the tests do. Resolves with its report. */
export async function sendInBackground(client: FleetClient, call: Call): Promise<unknown> {
  let job = (await send(client, call)) as DeployJob;
  const options = { timeoutMs: WAIT_LIMIT_MS, untilAnswered: true };
  try {
    while (job.status === "running") {
      const path = `/services/deploys/${job.id}?wait=${WAIT_S}`;
      job = await client.api<DeployJob>("GET", path, undefined, options);
    }
  } catch (error) {
    if (!isFleetError(error)) throw error;
    throw new Error(`${error.message}. ${UNKNOWN}`, { cause: error });
  }
  if (job.status === "done") return job.report;
  const { status, report, reportStatus, error } = job;
  throw new Error(`${call.method} ${call.path} (${reportStatus ?? status}): ${failedStep(report) ?? error}`);
}

/** By its name: who requires this file cannot take the class itself, which belongs to the server. */
function isFleetError(error: unknown): error is FleetError {
  return error instanceof Error && error.name === "FleetError";
}

/** Why a call failed. A change that nobody has answered need not have failed. */
function reasonOf({ message, status }: FleetError, { method }: Call): string {
  if (method === "GET" || !UNANSWERED.has(status)) return message;
  return `${message}. ${UNKNOWN}`;
}

/** The detail of the step that failed says more than a report's `error`, which is one line. */
function failedStep(report: DeployReport | undefined): string | undefined {
  const failed = report?.steps.find(({ status }) => status === "failed");
  return failed?.detail && `${failed.step}: ${bounded(failed.detail)}`;
}

function bounded(detail: string): string {
  if (detail.length <= DETAIL_START + DETAIL_END) return detail;
  return `${detail.slice(0, DETAIL_START)} … ${detail.slice(-DETAIL_END)}`;
}
