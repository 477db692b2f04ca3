/** The report of a deploy, step by step. */

export const STEPS = ["validate", "test", "load", "verify"] as const;

export type StepName = (typeof STEPS)[number];
export type StepStatus = "passed" | "failed" | "skipped";

export interface DeployStep {
  step: StepName;
  status: StepStatus;
  detail?: string;
  /** Whole milliseconds. */
  durationMs: number;
}

export interface DeployReport {
  name: string;
  steps: DeployStep[];
  /** Whether the folder's code serves now. When not, what served before serves on. */
  deployed: boolean;
  /** Of a deploy that failed: the step and why, on one line. */
  error?: string;
  generation?: number;
  digest?: string;
  /** Of a deploy that succeeded: what its author should mend all the same, in the documentation of routes and in its tools. */
  warnings?: string[];
}

/** Told when a step begins and when it ends. */
export type StepListener = (step: StepName, status: StepStatus | "running", outcome?: DeployStep) => void;

/** Collects the outcomes of steps as they come. */
export class StepRecorder {
  readonly steps: DeployStep[] = [];
  readonly #listener: StepListener;
  #open: { step: StepName; since: number } | undefined;

  constructor(listener: StepListener) {
    this.#listener = listener;
  }

  begin(step: StepName): void {
    this.#open = { step, since: performance.now() };
    this.#listener(step, "running");
  }

  /** Ends the step that was begun last. */
  end(status: StepStatus, detail?: string): void {
    if (!this.#open) return;
    const { step, since } = this.#open;
    this.#open = undefined;
    this.#add({
      step,
      status,
      ...(detail !== undefined && { detail }),
      durationMs: Math.round(performance.now() - since),
    });
  }

  /** Ends the open step as passed and begins the next one; nothing, when that one is open already. */
  passTo(step: StepName, detail: string): void {
    if (this.#open?.step === step) return;
    this.end("passed", detail);
    this.begin(step);
  }

  /** Takes back that a step has passed: it was done again, and is open instead of the one after it. */
  reopen(step: StepName): void {
    const at = this.steps.findIndex((done) => done.step === step);
    const [before] = at < 0 ? [] : this.steps.splice(at);
    if (before) this.#open = { step, since: performance.now() - before.durationMs };
  }

  /**
   * Ends the report at a failure: of the step that is open, or of the next one. The rest is skipped. Returns the
   * step and `summary`, for the report's `error`.
   */
  fail(summary: string, detail = summary): string {
    const step = this.#open?.step ?? STEPS[this.steps.length] ?? "verify";
    if (!this.#open) this.begin(step);
    this.end("failed", detail);
    for (const rest of STEPS.slice(this.steps.length)) {
      this.#add({ step: rest, status: "skipped", detail: `${step} failed`, durationMs: 0 });
    }
    return `${step}: ${summary}`;
  }

  #add(outcome: DeployStep): void {
    this.steps.push(outcome);
    this.#listener(outcome.step, outcome.status, outcome);
  }
}
