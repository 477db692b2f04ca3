/** A child process in which unknown code is tried. */
import fs, { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { CheckAnswer, CheckRequest, NumberedAnswers } from "./check-child.js";
import { messageOf } from "./errors.js";
import { type FailureStep, LoadFailure, type LoadFailureCode } from "./load-failure.js";
import { endProcessTree } from "./process-tree.js";

/** One thing to try, or several at once, and who waits for the answers. */
export interface Job {
  request: CheckRequest;
  resolve: (answers: CheckAnswer[]) => void;
  reject: (failure: LoadFailure) => void;
  /** The jobs that are done together here. When the process ends or gets stuck, none of them is blamed for it. */
  together?: Job[];
  /** How often a process has ended before it began this. */
  lost?: number;
}

export interface CheckProcessOptions {
  servicesDir: string;
  /** How long one job may take, in milliseconds. */
  timeoutMs: number;
  /** The folder below which the child's working directory and data folder are made; they go when it ends. */
  scratch: string;
}

export interface CheckProcessEvents {
  /** There is room for another job. */
  onRoom(): void;
  /** The job being done may be stuck; these were to follow it. It is among them itself when it is several at once. */
  onSlow(waiting: Job[]): void;
  /** The process is gone. These have not been begun, or it is not known which of them ended it. */
  onEnd(waiting: Job[]): void;
}

/** Jobs a child is handed ahead, so that it has the next one at once. */
const AHEAD = 12;
/** After this long a job may be stuck, in milliseconds. */
const SLOW_MS = 150;
/** As long may pass before it is begun, while the process starts. */
const START_MS = 1000;
/** So many processes may end before they begin a job. */
const MOST_LOST = 3;
/** A child without work for this long is ended, in milliseconds. */
const IDLE_MS = 60_000;

/** A job the child was told about. It works through them in order and answers each. */
interface Sent {
  job: Job;
  /** What its answer names. */
  number: number;
  /** Whether the child has said that it is at it: it is not to blame for what happens before. */
  begun: boolean;
  /** Somebody else does it by now; the child does it all the same. */
  withdrawn: boolean;
}

/** One child process, which does one job after the other. */
export class CheckProcess {
  /** Whether its job has been running for long; it then no longer counts as one of the working children. */
  slow = false;
  readonly #process: Bun.Subprocess<"ignore", "ignore", "ignore">;
  readonly #mark = Bun.randomUUIDv7();
  readonly #cwd: string;
  readonly #timeoutMs: number;
  readonly #events: CheckProcessEvents;
  #sent: Sent[] = [];
  #numbers = 0;
  #timers: ReturnType<typeof setTimeout>[] = [];
  #timedOut = false;
  #ending = false;
  #killing: Promise<void> | undefined;
  /** Settles when nothing of it is left. */
  readonly #gone = Promise.withResolvers<void>();

  /** Throws when there is no room for its folder, or none for another process. */
  constructor({ servicesDir, timeoutMs, scratch }: CheckProcessOptions, events: CheckProcessEvents) {
    this.#timeoutMs = timeoutMs;
    this.#events = events;
    // The folder may have been tidied away since the last child.
    mkdirSync(scratch, { recursive: true });
    const cwd = mkdtempSync(join(scratch, "child-"));
    this.#cwd = cwd;
    this.#process = Bun.spawn(
      [process.execPath, "--no-orphans", join(import.meta.dir, "check-child.ts"), servicesDir],
      {
        cwd,
        env: {
          ...process.env,
          REEF_DATA_DIR: join(cwd, "data"),
          REEF_CHECKING: "1",
          REEF_CHECK_RUN: this.#mark,
        },
        detached: true,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "ignore",
        serialization: "json",
        ipc: (message) => this.#heard(message),
        onExit: (_process, code, signal) => this.#ended(signal ? `signal ${signal}` : `exit code ${code}`),
      },
    );
    this.#process.unref();
  }

  /** How many more jobs it takes now. */
  get room(): number {
    return this.slow || this.#ending ? 0 : AHEAD - this.#sent.length;
  }

  /** Whether it has nothing to do and waits for more. */
  get idle(): boolean {
    return this.#sent.length === 0 && !this.#ending;
  }

  work(job: Job): void {
    const number = ++this.#numbers;
    this.#sent.push({ job, number, begun: false, withdrawn: false });
    try {
      this.#process.send({ ...job.request, number });
    } catch (error) {
      // It has just ended, which is about to be told.
      this.#ending = true;
      console.debug(`reef: a check is handed to another process: ${messageOf(error)}`);
    }
    if (this.#sent.length === 1) this.#watch();
  }

  /** Times the job being done; without one, the rest. */
  #watch(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    if (this.#sent.length === 0) {
      this.#after(IDLE_MS, () => void this.end());
      return;
    }
    const [doing] = this.#sent;
    this.#after(doing?.begun ? SLOW_MS : START_MS, () => {
      this.slow = true;
      const isTogether = doing?.job.together !== undefined;
      // Nobody waits for it then.
      if (isTogether) void this.end();
      this.#events.onSlow(this.#withdraw(isTogether ? this.#sent : this.#sent.slice(1)));
    });
    this.#after(this.#timeoutMs, () => {
      this.#timedOut = true;
      this.#ending = true;
      void this.#kill();
    });
  }

  #after(ms: number, fn: () => void): void {
    const timer = setTimeout(fn, ms);
    timer.unref();
    this.#timers.push(timer);
  }

  #withdraw(sent: Sent[]): Job[] {
    const live = sent.filter(({ withdrawn }) => !withdrawn);
    for (const one of live) one.withdrawn = true;
    return live.map(({ job }) => job);
  }

  /** Ends the process; who still waits for a job is told `reason`. Resolves when nothing of it is left. */
  async end(reason?: LoadFailure): Promise<void> {
    this.#ending = true;
    if (reason) for (const job of this.#withdraw(this.#sent)) job.reject(reason);
    // It does not keep the server running, but whoever waits here wants to see it end.
    this.#process.ref();
    await this.#kill();
    await this.#gone.promise;
  }

  /** With everything that the code it tried has started. Never rejects. */
  #kill(): Promise<void> {
    this.#killing ??= endProcessTree(this.#process.pid, `REEF_CHECK_RUN=${this.#mark}`).catch((error) =>
      console.warn(`reef: what was started by a check cannot be ended: ${messageOf(error)}`),
    );
    return this.#killing;
  }

  /** Ends what the process has left behind, then removes the folder that it wrote to. Never rejects. */
  async #clear(): Promise<void> {
    await this.#kill();
    try {
      await fs.promises.rm(this.#cwd, { recursive: true, force: true });
    } catch (error) {
      console.warn(`reef: cannot remove ${this.#cwd}, left by a check: ${messageOf(error)}`);
    }
    this.#gone.resolve();
  }

  /** The code being tried can send messages as well; only what names the job being done is its answer. */
  #heard(message: unknown): void {
    const { number, answers } = Object(message) as Partial<NumberedAnswers>;
    const done = this.#sent[0];
    if (!done || number !== done.number) return;
    if (!answers) {
      const isNews = !done.begun;
      done.begun = true;
      if (isNews) this.#watch();
      return;
    }
    this.#sent.shift();
    this.#answered(done, answers);
  }

  #answered(done: Sent, answers: CheckAnswer[]): void {
    this.slow = false;
    this.#watch();
    if (!done.withdrawn) done.job.resolve(answers);
    this.#events.onRoom();
  }

  #ended(how: string): void {
    for (const timer of this.#timers) clearTimeout(timer);
    const sent = this.#sent;
    this.#sent = [];
    this.#ending = true;
    void this.#clear();
    const [doing] = sent;
    if (doing && !doing.withdrawn) {
      const failure = doing.begun ? this.#blame(doing.job, how) : this.#notBegun(doing.job, how);
      if (failure) doing.job.reject(failure);
      doing.withdrawn = failure !== undefined;
    }
    this.#events.onEnd(this.#withdraw(sent));
  }

  /** Undefined when somebody else is to try it. */
  #notBegun(job: Job, how: string): LoadFailure | undefined {
    let most = 0;
    for (const one of job.together ?? [job]) {
      one.lost = (one.lost ?? 0) + 1;
      most = Math.max(most, one.lost);
    }
    if (most < MOST_LOST) return undefined;
    return new LoadFailure(
      "CHECK_FAILED",
      "import",
      `the process to try the code in did not start (${how}).`,
    );
  }

  #blame({ request, together }: Job, how: string): LoadFailure | undefined {
    if (together) return undefined;
    const step: FailureStep = request.op === "import" ? "import" : "init";
    const what = step === "import" ? "importing index.ts" : "init()";
    if (this.#timedOut) {
      const code: LoadFailureCode = step === "import" ? "IMPORT_TIMEOUT" : "INIT_TIMEOUT";
      return new LoadFailure(code, step, `${what} did not finish in ${this.#timeoutMs} ms.`);
    }
    return new LoadFailure("PROCESS_ENDED", step, `${what} ended the process it was tried in (${how}).`);
  }
}
