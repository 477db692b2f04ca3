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

/** Resolves with the server's answer; rejects with what the model is to read. */
export async function send(client: FleetClient, call: Call): Promise<unknown> {
  try {
    return await client.api<unknown>(call.method, call.path, call.body);
  } catch (error) {
    if (!isFleetError(error)) throw error;
    throw new Error(reasonOf(error, call), { cause: error });
  }
}

/** By its name: who requires this file cannot take the class itself, which belongs to the server. */
function isFleetError(error: unknown): error is FleetError {
  return error instanceof Error && error.name === "FleetError";
}

/** A deploy's report says more than its `error`, which is one line: the failed step's detail. */
function reasonOf({ message, status, body }: FleetError, { method, path }: Call): string {
  const { steps } = (body ?? {}) as Partial<DeployReport>;
  const failed = Array.isArray(steps) ? steps.find((step) => step.status === "failed") : undefined;
  if (!failed?.detail) return message;
  return `${method} ${path} (${status}): ${failed.step}: ${bounded(failed.detail)}`;
}

function bounded(detail: string): string {
  if (detail.length <= DETAIL_START + DETAIL_END) return detail;
  return `${detail.slice(0, DETAIL_START)} … ${detail.slice(-DETAIL_END)}`;
}
