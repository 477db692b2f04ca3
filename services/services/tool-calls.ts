/** The requests behind the manager's tools, and what the model is told when one fails. */
import type { FleetError } from "../../src/core/client.js";
import type { FleetClient } from "../../src/core/types.js";
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
 * How long a change may take, in milliseconds: it waits for others, a deploy also for its tests. Node and Bun give up
 * what has not begun to answer after 300 s.
 */
const CHANGE_LIMIT_MS = 290_000;

/** Statuses of calls that may have arrived: no reply, and what proxies say when they do not wait any longer. */
const UNANSWERED = new Set([0, 502, 504]);

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

/** By its name: who requires this file cannot take the class itself, which belongs to the server. */
function isFleetError(error: unknown): error is FleetError {
  return error instanceof Error && error.name === "FleetError";
}

/**
 * Why a call failed. A deploy's report says more than its `error`, which is one line: the failed step's detail. A
 * change that nobody has answered need not have failed.
 */
function reasonOf({ message, status, body }: FleetError, { method, path }: Call): string {
  const { steps } = (body ?? {}) as Partial<DeployReport>;
  const failed = Array.isArray(steps) ? steps.find((step) => step.status === "failed") : undefined;
  if (method !== "GET" && UNANSWERED.has(status)) {
    return `${message}. The change may still be under way, or done: services_inspect shows what serves, and since when`;
  }
  if (!failed?.detail) return message;
  return `${method} ${path} (${status}): ${failed.step}: ${bounded(failed.detail)}`;
}

function bounded(detail: string): string {
  if (detail.length <= DETAIL_START + DETAIL_END) return detail;
  return `${detail.slice(0, DETAIL_START)} … ${detail.slice(-DETAIL_END)}`;
}
