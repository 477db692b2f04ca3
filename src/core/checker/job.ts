/** One thing to try in a child process. */

import type { LoadFailure } from "../load-failure.js";
import type { CheckAnswer, CheckRequest } from "./messages.js";

/** One thing to try, and who waits for the answer. */
export interface Job {
  request: CheckRequest;
  resolve: (answer: CheckAnswer) => void;
  reject: (failure: LoadFailure) => void;
  /**
   * How often it was among several of which one has ended or blocked a process. Then it is tried in a process that does
   * nothing else: at first until it has shown that it only takes its time, the second time to its end.
   */
  suspected?: number;
  /** How many processes have ended before they came up, when they were to do this. */
  lost?: number;
}

/** Whether nothing else should go on beside a job at first, so that it is known what ends or blocks the process. */
export const startsAlone = ({ request, suspected }: Job) => request.op === "start" || suspected !== undefined;

/** Whether nothing else should go on beside a job at all. */
export const staysAlone = ({ suspected = 0 }: Job) => suspected > 1;
