/** A child process in which unknown code is tried. */
import fs, { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../errors.js";
import { type FailureStep, LoadFailure, type LoadFailureCode } from "../load-failure.js";
import { endProcessTree } from "../process-tree.js";
import { AssignedJobs } from "./assigned-jobs.js";
import { isToTheEnd, type Job } from "./job.js";
import { type CheckRequest, type FromChild, LATE_COMPILING, SLOW_MS, type ToChild } from "./messages.js";

export interface CheckProcessOptions {
  servicesDir: string;
  /** How long one job may take, in milliseconds. */
  timeoutMs: number;
  /** The folder below which the child's working directory and data folder are made; they go when it ends. */
  scratch: string;
}

export interface CheckProcessEvents {
  /** There may be room for more, here or in another process. */
  onRoom(): void;
  /** Somebody else is to do these: the process has ended, or is being ended since it answers nothing any more. */
  onHandBack(jobs: Job[]): void;
  onEnd(): void;
}

/** How often a busy process is asked for a sign of life, in milliseconds. One that gives none twice is blocked. */
const LOOK_MS = SLOW_MS / 2;
/** How long a process may take to come up before another one is started beside it, in milliseconds. */
const START_MS = 1000;
/** So many processes may end before they come up. */
const MOST_LOST = 3;
/** A process without work for this long is ended, in milliseconds. */
const IDLE_MS = 60_000;

/** One child process, which does several jobs side by side. */
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
  /** Whether it answers nothing, or has not come up for long. */
  #isSlow = false;
  /** How often it was asked for a sign of life since the last one. */
  #asked = 0;
  /** Whether something in it has run out of time: it gets nothing more to do. */
  #isSpent = false;
  #ending = false;
  #looking: ReturnType<typeof setInterval> | undefined;
  #idling: ReturnType<typeof setTimeout> | undefined;
  #killing: Promise<void> | undefined;
  /** Settles when nothing of it is left. */
  readonly #gone = Promise.withResolvers<void>();

  /** Throws when there is no room for its folder, or none for another process. */
  constructor({ servicesDir, timeoutMs, scratch }: CheckProcessOptions, events: CheckProcessEvents) {
    this.#timeoutMs = timeoutMs;
    this.#events = events;
    // The folder may have been tidied away since the last child.
    mkdirSync(scratch, { recursive: true });
    this.#cwd = mkdtempSync(join(scratch, "child-"));
    try {
      this.#process = this.#spawn(servicesDir);
    } catch (error) {
      fs.rmSync(this.#cwd, { recursive: true, force: true });
      throw error;
    }
    this.#process.unref();
    this.#tell({ key: this.#key });
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
        [LATE_COMPILING[0]]: LATE_COMPILING[1],
        REEF_CHECK_RUN: this.#mark,
      },
      detached: true,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      serialization: "json",
      ipc: (message) => this.#heard(message),
      onExit: (_process, code, signal) => this.#ended(signal ? `signal ${signal}` : `exit code ${code}`),
    });
  }

  /** How many jobs like this one it takes now. */
  room(job: Job): number {
    return this.isWorking ? this.#jobs.roomFor(job) : 0;
  }

  /** Whether it is still good for something: it answers, and what it does leaves room for more. */
  get isWorking(): boolean {
    return !this.#isSlow && !this.#ending && !this.#isSpent && !this.#jobs.areShut;
  }

  /** Whether it can be given this job now or soon: what nothing else should go on beside would wait for slow ones. */
  takesSoon(job: Job): boolean {
    return this.isWorking && (!isToTheEnd(job) || this.#jobs.areFresh);
  }

  /** Resolves when it has ended and nothing is left of it. Never rejects. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Whether it has nothing to do and waits for more. */
  get idle(): boolean {
    return this.#jobs.size === 0 && this.isWorking;
  }

  work(jobs: readonly Job[]): void {
    this.#tell({ jobs: this.#jobs.add(jobs) });
    clearTimeout(this.#idling);
    if (this.#looking) return;
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
    this.#looking.unref();
  }

  #tell(message: ToChild): void {
    try {
      this.#process.send(message);
    } catch (error) {
      // It has just ended, which is about to be told.
      this.#ending = true;
      console.debug(`reef: a check was moved to another process: ${messageOf(error)}`);
    }
  }

  #look(): void {
    const now = performance.now();
    if (!this.#isUp) {
      if (now - this.#startedAt > START_MS) this.#becomeSlow();
      if (now - this.#startedAt > Math.max(START_MS, this.#timeoutMs)) void this.end();
      return;
    }
    for (const job of this.#jobs.takeOverdue(this.#timeoutMs)) {
      this.#isSpent = true;
      job.reject(this.#timedOut(job));
    }
    if (this.#jobs.size === 0) this.#rest();
    else if (this.#asked >= 2) this.#blocked();
    else {
      this.#asked++;
      this.#tell({});
      this.#events.onRoom();
    }
  }

  #becomeSlow(): void {
    if (this.#isSlow) return;
    this.#isSlow = true;
    this.#events.onRoom();
  }

  /** One of its jobs keeps it from doing anything else. Only when there is but one it is known which. */
  #blocked(): void {
    if (this.#jobs.isOneBegun) this.#becomeSlow();
    else {
      void this.end();
      this.#handBack();
    }
  }

  #handBack(): void {
    const jobs = this.#jobs.takeSuspects();
    if (jobs.length > 0) this.#events.onHandBack(jobs);
  }

  /** Nothing is left to do. */
  #rest(): void {
    clearInterval(this.#looking);
    this.#looking = undefined;
    this.#asked = 0;
    if (this.#isSpent) void this.end();
    else this.#endWhenIdle();
    this.#events.onRoom();
  }

  #endWhenIdle(): void {
    clearTimeout(this.#idling);
    this.#idling = setTimeout(() => void this.end(), IDLE_MS);
    this.#idling.unref();
  }

  /** Ends the process; who still waits for a job is told `reason`. Resolves when nothing of it is left. */
  async end(reason?: LoadFailure): Promise<void> {
    this.#ending = true;
    if (reason) for (const job of this.#jobs.takeAll()) job.reject(reason);
    // It does not keep the server running, but whoever waits here wants to see it end.
    this.#process.ref();
    await this.#kill();
    await this.#gone.promise;
  }

  /** With everything that the code it tried has started. Never rejects. */
  #kill(): Promise<void> {
    this.#killing ??= endProcessTree(this.#process.pid, `REEF_CHECK_RUN=${this.#mark}`).catch((error) =>
      console.warn(`reef: processes started by a check cannot be stopped: ${messageOf(error)}`),
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

  #heard(message: unknown): void {
    const { key, begun = [], advanced = [], answers = [] } = Object(message) as Partial<FromChild>;
    // The code being tried may say anything, too.
    if (key !== this.#key) return;
    this.#isUp = true;
    this.#asked = 0;
    this.#isSlow = false;
    this.#jobs.begin(begun);
    this.#jobs.advance(advanced);
    for (const { number, answer } of answers) this.#jobs.answer(number, answer);
    if (answers.length === 0) return;
    if (this.#jobs.size === 0) this.#rest();
    else this.#events.onRoom();
  }

  #ended(how: string): void {
    clearInterval(this.#looking);
    clearTimeout(this.#idling);
    this.#ending = true;
    void this.#clear();
    const culprit = this.#jobs.takeOnlyBegun();
    culprit?.reject(processEnded(culprit, how));
    if (!this.#isUp) {
      for (const job of this.#jobs.takeLost(MOST_LOST)) job.reject(notStarted(how));
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
