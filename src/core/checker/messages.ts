/** The messages between the server and the child processes in which code is tried; see checker.ts. */
import type { ModuleFacts } from "../checker.js";
import type { FailureStep, LoadFailureCode } from "../load-failure.js";

/** How many jobs a child runs concurrently, which halves the time. Further jobs wait in the child. */
export const MAX_CONCURRENT = 16;

/** After this time, in milliseconds, a job counts as slow, and others run beside it. */
export const SLOW_MS = 150;

/**
 * An environment variable that delays JIT compilation, since tried code mostly runs once. Saves a third of the
 * time of many imports. Bun refuses to start with a variable of this kind that it does not know.
 */
export const LAZY_JIT = ["BUN_JSC_thresholdForJITAfterWarmUp", "5000"] as const;

/** A folder to import, or folders to start in order. */
export interface CheckRequest {
  op: "import" | "start";
  dirNames: string[];
}

/** The result of a request. */
export interface CheckAnswer {
  ok: boolean;
  facts?: ModuleFacts;
  code?: LoadFailureCode;
  step?: FailureStep;
  message?: string;
}

/** Jobs for the child; without jobs, a ping. */
export interface ToChild {
  /** Sent in the first message, before tried code can listen. Every genuine message of the child carries it. */
  key?: string;
  jobs?: Array<CheckRequest & { number: number }>;
}

/** Progress and results. Any of them proves that the child is responsive. */
export interface FromChild {
  key: string | undefined;
  begun?: number[];
  /** Jobs that have come to their next folder, which gets a full timeout of its own. */
  advanced?: number[];
  answers?: Array<{ number: number; answer: CheckAnswer }>;
}
