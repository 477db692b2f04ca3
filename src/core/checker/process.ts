/** One child process in which unknown code is tried. */
import fs, { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../errors.js";
import { type FailureStep, LoadFailure, type LoadFailureCode } from "../load-failure.js";
import { endProcessTree } from "../process-tree.js";
import { AssignedJobs } from "./assigned-jobs.js";
import { type Job, staysAlone } from "./job.js";
import { type CheckRequest, type FromChild, LAZY_JIT, SLOW_MS, type ToChild } from "./messages.js";

/** What a child process needs. */
export interface CheckProcessOptions {
  servicesDir: string;
  /** How long one job may take, in milliseconds. */
  timeoutMs: number;
  /** The parent of the child's working directory and data folder, which are removed when it ends. */
  scratch: string;
}

/** What a child process reports to the checker. */
export interface CheckProcessEvents {
  /** Jobs can possibly be assigned, here or to another process. */
  onRoom(): void;
  /** Returns jobs to be done elsewhere: the process has ended, or is being ended because it does not respond. */
  onHandBack(jobs: Job[]): void;
  /** The process has ended. */
  onEnd(): void;
}

/** The ping interval of a busy process, in milliseconds. After two unanswered pings it counts as blocked. */
const POLL_MS = SLOW_MS / 2;
/** How long a process may take to start before another one is started beside it, in milliseconds. */
const START_MS = 1000;
/** After so many failed starts a job is rejected. */
const MAX_FAILED_STARTS = 3;
/** The idle time after which a process is ended, in milliseconds. */
const IDLE_MS = 60_000;

/** A child process that runs several jobs concurrently. */
export class CheckProcess {
  readonly #process: Bun.Subprocess<"ignore", "ignore", "ignore">;
  readonly #mark = Bun.randomUUIDv7();
  readonly #cwd: string;
  readonly #key = Bun.randomUUIDv7();
  readonly #timeoutMs: number;
  readonly #events: CheckProcessEvents;
  readonly #jobs = new AssignedJobs();
  readonly #startedAt = performance.now();
  #isUp = false;
  /** Whether it is blocked, or slow to start. */
  #isSlow = false;
  /** Unanswered pings. */
  #pings = 0;
  /** Whether one of its jobs has timed out: it gets no further jobs. */
  #hasTimedOut = false;
  #ending = false;
  #polling: ReturnType<typeof setInterval> | undefined;
  #idling: ReturnType<typeof setTimeout> | undefined;
  #killing: Promise<void> | undefined;
  /** Settles when the process and everything it started is gone. */
  readonly #gone = Promise.withResolvers<void>();

  /** Throws when its folder cannot be created or the process not started. */
  constructor({ servicesDir, timeoutMs, scratch }: CheckProcessOptions, events: CheckProcessEvents) {
    this.#timeoutMs = timeoutMs;
    this.#events = events;
    // The folder may have been removed since the last child.
    mkdirSync(scratch, { recursive: true });
    this.#cwd = mkdtempSync(join(scratch, "child-"));
    try {
      this.#process = this.#spawn(servicesDir);
    } catch (error) {
      fs.rmSync(this.#cwd, { recursive: true, force: true });
      throw error;
    }
    this.#process.unref();
    this.#send({ key: this.#key });
    this.#endWhenIdle();
  }

  #spawn(servicesDir: string): Bun.Subprocess<"ignore", "ignore", "ignore"> {
    const command = [
      process.execPath,
      "--no-install",
      "--no-orphans",
      join(import.meta.dir, "child.ts"),
      servicesDir,
    ];
    return Bun.spawn(command, {
      cwd: this.#cwd,
      env: {
        ...process.env,
        REEF_DATA_DIR: join(this.#cwd, "data"),
        REEF_CHECKING: "1",
        [LAZY_JIT[0]]: LAZY_JIT[1],
        REEF_CHECK_RUN: this.#mark,
      },
      detached: true,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      serialization: "json",
      ipc: (message) => this.#onMessage(message),
      onExit: (_process, code, signal) => this.#onExit(signal ? `signal ${signal}` : `exit code ${code}`),
    });
  }

  /** How many jobs like this one it can take now. */
  room(job: Job): number {
    return this.isWorking ? this.#jobs.roomFor(job) : 0;
  }

  /** Whether it responds and can take jobs once there is room. */
  get isWorking(): boolean {
    return !this.#isSlow && !this.#ending && !this.#hasTimedOut && !this.#jobs.hasExclusive;
  }

  /** Whether it can take this job now or soon. A job that must run alone would have to wait for slow ones. */
  takesSoon(job: Job): boolean {
    return this.isWorking && (!staysAlone(job) || this.#jobs.areAllFresh);
  }

  /** Resolves when the process and everything it started is gone. Never rejects. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Whether it is idle. */
  get idle(): boolean {
    return this.#jobs.size === 0 && this.isWorking;
  }

  work(jobs: readonly Job[]): void {
    this.#send({ jobs: this.#jobs.add(jobs) });
    clearTimeout(this.#idling);
    if (this.#polling) return;
    this.#polling = setInterval(() => this.#poll(), POLL_MS);
    this.#polling.unref();
  }

  #send(message: ToChild): void {
    try {
      this.#process.send(message);
    } catch (error) {
      // The process has just ended; `onExit` follows.
      this.#ending = true;
      console.debug(`reef: a check was moved to another process: ${messageOf(error)}`);
    }
  }

  #poll(): void {
    const now = performance.now();
    if (!this.#isUp) {
      if (now - this.#startedAt > START_MS) this.#becomeSlow();
      if (now - this.#startedAt > Math.max(START_MS, this.#timeoutMs)) void this.end();
      return;
    }
    for (const job of this.#jobs.takeOverdue(this.#timeoutMs)) {
      this.#hasTimedOut = true;
      job.reject(this.#timedOut(job));
    }
    if (this.#jobs.size === 0) this.#becomeIdle();
    else if (this.#pings >= 2) this.#onBlocked();
    else {
      this.#pings++;
      this.#send({});
      this.#events.onRoom();
    }
  }

  #becomeSlow(): void {
    if (this.#isSlow) return;
    this.#isSlow = true;
    this.#events.onRoom();
  }

  /** A job blocks the process. If there is only one, it is known which, and it may go on until it times out. */
  #onBlocked(): void {
    if (this.#jobs.isSingleRunning) this.#becomeSlow();
    else {
      void this.end();
      this.#handBack();
    }
  }

  #handBack(): void {
    const jobs = this.#jobs.takeSuspects();
    if (jobs.length > 0) this.#events.onHandBack(jobs);
  }

  /** All jobs are done. */
  #becomeIdle(): void {
    clearInterval(this.#polling);
    this.#polling = undefined;
    this.#pings = 0;
    if (this.#hasTimedOut) void this.end();
    else this.#endWhenIdle();
    this.#events.onRoom();
  }

  #endWhenIdle(): void {
    clearTimeout(this.#idling);
    this.#idling = setTimeout(() => void this.end(), IDLE_MS);
    this.#idling.unref();
  }

  /** Ends the process; pending jobs are rejected with `reason`. Resolves when everything is gone. */
  async end(reason?: LoadFailure): Promise<void> {
    this.#ending = true;
    if (reason) for (const job of this.#jobs.takeAll()) job.reject(reason);
    // The child does not keep the server alive, but a caller that awaits its end should.
    this.#process.ref();
    await this.#kill();
    await this.#gone.promise;
  }

  /** Kills the process and everything that the tried code started. Never rejects. */
  #kill(): Promise<void> {
    this.#killing ??= endProcessTree(this.#process.pid, `REEF_CHECK_RUN=${this.#mark}`).catch((error) =>
      console.warn(`reef: processes started by a check cannot be stopped: ${messageOf(error)}`),
    );
    return this.#killing;
  }

  /** Kills what the process left behind and removes its folder. Never rejects. */
  async #clear(): Promise<void> {
    await this.#kill();
    try {
      await fs.promises.rm(this.#cwd, { recursive: true, force: true });
    } catch (error) {
      console.warn(`reef: cannot remove ${this.#cwd}, left by a check: ${messageOf(error)}`);
    }
    this.#gone.resolve();
  }

  #onMessage(message: unknown): void {
    const { key, begun = [], advanced = [], answers = [] } = Object(message) as Partial<FromChild>;
    // Tried code can send messages too, but does not know the key.
    if (key !== this.#key) return;
    this.#isUp = true;
    this.#pings = 0;
    this.#isSlow = false;
    this.#jobs.begin(begun);
    this.#jobs.advance(advanced);
    for (const { number, answer } of answers) this.#jobs.answer(number, answer);
    if (answers.length === 0) return;
    if (this.#jobs.size === 0) this.#becomeIdle();
    else this.#events.onRoom();
  }

  #onExit(how: string): void {
    clearInterval(this.#polling);
    clearTimeout(this.#idling);
    this.#ending = true;
    void this.#clear();
    const culprit = this.#jobs.takeOnlyBegun();
    culprit?.reject(processEnded(culprit, how));
    if (!this.#isUp) {
      for (const job of this.#jobs.takeUnstartable(MAX_FAILED_STARTS)) job.reject(notStarted(how));
    }
    this.#handBack();
    this.#events.onEnd();
  }

  #timedOut({ request }: Job): LoadFailure {
    const code: LoadFailureCode = request.op === "import" ? "IMPORT_TIMEOUT" : "INIT_TIMEOUT";
    const { step, what } = namesOf(request);
    return new LoadFailure(code, step, `${what} did not finish within ${this.#timeoutMs} ms.`);
  }
}

function namesOf({ op }: CheckRequest): { step: FailureStep; what: string } {
  return op === "import" ? { step: "import", what: "importing index.ts" } : { step: "init", what: "init()" };
}

function processEnded({ request }: Job, how: string): LoadFailure {
  const { step, what } = namesOf(request);
  return new LoadFailure("PROCESS_ENDED", step, `${what} ended the process that checked it (${how}).`);
}

function notStarted(how: string): LoadFailure {
  const message = `the process to check the code did not start (${how}).`;
  return new LoadFailure("CHECK_FAILED", "import", message);
}
