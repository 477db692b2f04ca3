/** What the server and the processes in which code is tried say to each other; see checker.ts. */
import type { ModuleFacts } from "../checker.js";
import type { FailureStep, LoadFailureCode } from "../load-failure.js";

/** Jobs that a process does side by side, which takes half the time of one after the other. The rest waits there. */
export const MAX_CONCURRENT = 16;

/** What has been going on for so long, in milliseconds, only takes its time: others are done beside it. */
export const SLOW_MS = 150;

/**
 * The environment in which a process compiles only what runs for long: what is tried mostly runs once. Spares a third
 * of the time that many imports take. Bun refuses to start with a variable of this kind that it does not know.
 */
export const LAZY_JIT = ["BUN_JSC_thresholdForJITAfterWarmUp", "5000"] as const;

/** A folder to import, or folders to start one after the other. */
export interface CheckRequest {
  op: "import" | "start";
  dirNames: string[];
}

export interface CheckAnswer {
  ok: boolean;
  facts?: ModuleFacts;
  code?: LoadFailureCode;
  step?: FailureStep;
  message?: string;
}

/** What to do; without jobs it asks for a sign of life. */
export interface ToChild {
  /** In the first message, which no code that is tried can hear: what every message of the process's own is to hold. */
  key?: string;
  jobs?: Array<CheckRequest & { number: number }>;
}

/** Which jobs are being done, and what came of some. Either shows that the process goes on. */
export interface FromChild {
  key: string | undefined;
  begun?: number[];
  /** Jobs that start several folders and have come to the next one, which has as long as the first. */
  advanced?: number[];
  answers?: Array<{ number: number; answer: CheckAnswer }>;
}
