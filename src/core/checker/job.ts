/** A job for a child process: one folder to import, or several to start. */

import type { LoadFailure } from "../load-failure.js";
import type { CheckAnswer, CheckRequest } from "./messages.js";

/** A request with the functions that settle it. */
export interface Job {
  request: CheckRequest;
  resolve: (answer: CheckAnswer) => void;
  reject: (failure: LoadFailure) => void;
  /**
   * How often it ran beside other jobs when the process ended or was blocked. It then runs alone: after the
   * first time until it has proved merely slow, after the second time to its end.
   */
  suspected?: number;
  /** How many processes that were to run it failed to start. */
  lost?: number;
}

/** Whether a job must begin alone, so that it is known what ends or blocks the process. */
export const startsAlone = ({ request, suspected }: Job) => request.op === "start" || suspected !== undefined;

/** Whether a job must run alone to its end. */
export const staysAlone = ({ suspected = 0 }: Job) => suspected > 1;
