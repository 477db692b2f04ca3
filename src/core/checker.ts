/**
 * Tries unknown code in child processes before the server imports it: what loops for ever, ends its process or
 * crashes it does so there. A child has a scratch data folder and working directory of its own.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { breathe } from "./breathe.js";
import type { CheckAnswer, CheckRequest } from "./check-child.js";
import { messageOf } from "./errors.js";
import { replaceFile } from "./files.js";
import { type FailureStep, LoadFailure, type LoadFailureCode } from "./load-failure.js";
import { endProcessTree, lowerPriority } from "./process-tree.js";

/** What an import tells about a module. */
export interface ModuleFacts {
  name: string;
  dependencies: string[];
  hasInit: boolean;
}

export interface Checker {
  /** Whether code with this digest has been loaded successfully before. */
  knows(digest: string): boolean;
  remember(digest: string): void;
  /** Imports a service folder elsewhere. Rejects with a `LoadFailure`. */
  import(dirName: string): Promise<ModuleFacts>;
  /** Starts folders elsewhere, in this order, and stops them again. Rejects with the last one's `LoadFailure`. */
  start(dirNames: string[]): Promise<void>;
  /** Ends the child processes. */
  close(): Promise<void>;
}

export interface ChildCheckerOptions {
  servicesDir: string;
  /** How long one import or one start may take, in milliseconds. */
  timeoutMs: number;
  /** Remembers across restarts which code was loaded successfully. */
  memoryFile?: string;
  /**
   * Where children get their working directories and data folders. It is emptied at the first check, of what a
   * server left that was killed: nobody else may use it. Default: a fresh folder in the system's temporary one.
   */
  scratchDir?: string;
  /** Children that work side by side while all goes well. */
  children?: number;
}

interface Job {
  request: CheckRequest;
  resolve: (answer: CheckAnswer) => void;
  reject: (failure: LoadFailure) => void;
}

/** After this long a job may be stuck, and the queue gets another child, in milliseconds. */
const SLOW_MS = 150;
const MOST_CHILDREN = 8;
/** A child without work for this long is ended, in milliseconds. */
const IDLE_MS = 60_000;
const REMEMBERED = 5000;

/** Checks in children that are started when needed and kept for the next check. */
export class ChildChecker implements Checker {
  readonly #options: ChildCheckerOptions;
  readonly #children = new Set<Child>();
  readonly #queue: Job[] = [];
  readonly #known: Set<string>;
  #scratch: string | undefined;
  #allowed: number;
  #closed = false;
  #unsaved = false;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: ChildCheckerOptions) {
    this.#options = options;
    this.#allowed = options.children ?? 1;
    this.#known = new Set(readMemory(options.memoryFile));
  }

  knows(digest: string): boolean {
    return this.#known.has(digest);
  }

  remember(digest: string): void {
    if (this.#known.has(digest)) return;
    this.#known.add(digest);
    if (this.#unsaved || !this.#options.memoryFile) return;
    this.#unsaved = true;
    this.#saving = this.#saving.then(breathe).then(() => this.#save());
  }

  /** The memory only saves time: losing it costs a check. */
  async #save(): Promise<void> {
    this.#unsaved = false;
    const path = this.#options.memoryFile;
    if (!path) return;
    try {
      await replaceFile(path, JSON.stringify([...this.#known].slice(-REMEMBERED)), { durable: false });
    } catch (error) {
      console.warn(`reef: cannot remember checked code in ${path}: ${messageOf(error)}`);
    }
  }

  async import(dirName: string): Promise<ModuleFacts> {
    const answer = await this.#ask({ op: "import", dirNames: [dirName] });
    if (answer.ok && answer.facts) return answer.facts;
    throw asFailure(answer);
  }

  async start(dirNames: string[]): Promise<void> {
    const answer = await this.#ask({ op: "start", dirNames });
    if (!answer.ok) throw asFailure(answer);
  }

  #ask(request: CheckRequest): Promise<CheckAnswer> {
    if (this.#closed) return Promise.reject(shuttingDown());
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      this.#assign();
    });
  }

  #assign(): void {
    for (const child of this.#children) {
      if (child.free) this.#give(child);
    }
    const working = [...this.#children].filter((child) => !child.slow).length;
    const room = Math.min(this.#allowed - working, MOST_CHILDREN - this.#children.size);
    for (let n = Math.min(room, this.#queue.length); n > 0; n--) {
      this.#scratch ??= emptyScratch(this.#options.scratchDir);
      const child = new Child(this.#options, this.#scratch, {
        onFree: () => this.#give(child),
        onSlow: () => this.#assign(),
        onEnd: () => {
          this.#children.delete(child);
          if (!this.#closed) this.#assign();
        },
      });
      this.#children.add(child);
      this.#give(child);
    }
  }

  #give(child: Child): void {
    const job = this.#queue.shift();
    if (job) child.work(job);
    else child.rest();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#queue.splice(0)) job.reject(shuttingDown());
    await Promise.all([...this.#children].map((child) => child.end()));
    await this.#saving;
    if (this.#scratch !== undefined) rmSync(this.#scratch, { recursive: true, force: true });
  }
}

interface ChildEvents {
  onFree(): void;
  onSlow(): void;
  onEnd(): void;
}

/** One child process with at most one job. */
class Child {
  /** Whether its job has been running for long; it then no longer counts as one of the working children. */
  slow = false;
  readonly #process: Bun.Subprocess<"ignore", "ignore", "ignore">;
  readonly #mark = Bun.randomUUIDv7();
  readonly #timeoutMs: number;
  readonly #events: ChildEvents;
  #job: Job | undefined;
  #timers: ReturnType<typeof setTimeout>[] = [];
  #timedOut = false;

  constructor(options: ChildCheckerOptions, scratch: string, events: ChildEvents) {
    this.#timeoutMs = options.timeoutMs;
    this.#events = events;
    const cwd = mkdtempSync(join(scratch, "child-"));
    this.#process = Bun.spawn(
      [process.execPath, "--no-orphans", join(import.meta.dir, "check-child.ts"), options.servicesDir],
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
        ipc: (answer) => this.#answered(answer as CheckAnswer),
        onExit: (_process, code, signal) => this.#ended(signal ? `signal ${signal}` : `exit code ${code}`),
      },
    );
    lowerPriority(this.#process.pid);
    this.#process.unref();
  }

  get free(): boolean {
    return this.#job === undefined;
  }

  work(job: Job): void {
    this.#clearTimers();
    this.#job = job;
    this.#process.send(job.request);
    this.#after(SLOW_MS, () => {
      this.slow = true;
      this.#events.onSlow();
    });
    this.#after(this.#timeoutMs, () => {
      this.#timedOut = true;
      void this.#kill();
    });
  }

  rest(): void {
    this.#clearTimers();
    this.#after(IDLE_MS, () => void this.end());
  }

  async end(): Promise<void> {
    const job = this.#job;
    this.#job = undefined;
    job?.reject(shuttingDown());
    // It does not keep the server running, but whoever waits here wants to see it end.
    this.#process.ref();
    await this.#kill();
    await this.#process.exited;
  }

  /** With everything that the code it tried has started. */
  #kill(): Promise<void> {
    return endProcessTree(this.#process.pid, `REEF_CHECK_RUN=${this.#mark}`);
  }

  #after(ms: number, fn: () => void): void {
    const timer = setTimeout(fn, ms);
    timer.unref();
    this.#timers.push(timer);
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  #answered(answer: CheckAnswer): void {
    const job = this.#job;
    if (!job) return;
    this.#job = undefined;
    this.slow = false;
    this.#clearTimers();
    job.resolve(answer);
    this.#events.onFree();
  }

  #ended(how: string): void {
    this.#clearTimers();
    const job = this.#job;
    this.#job = undefined;
    this.#events.onEnd();
    if (!job) return;
    const step: FailureStep = job.request.op === "import" ? "import" : "init";
    const doing = step === "import" ? "importing index.ts" : "init()";
    if (this.#timedOut) {
      const code: LoadFailureCode = step === "import" ? "IMPORT_TIMEOUT" : "INIT_TIMEOUT";
      job.reject(new LoadFailure(code, step, `${doing} did not finish in ${this.#timeoutMs} ms.`));
    } else {
      job.reject(
        new LoadFailure("PROCESS_ENDED", step, `${doing} ended the process it was tried in (${how}).`),
      );
    }
  }
}

/** A folder for the children. What cannot be removed from it is left: each child gets a folder of its own anyway. */
function emptyScratch(folder: string | undefined): string {
  if (folder === undefined) return mkdtempSync(join(tmpdir(), "reef-check-"));
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    console.warn(`reef: cannot remove ${folder}, left by a server that was killed: ${messageOf(error)}`);
  }
  mkdirSync(folder, { recursive: true });
  return folder;
}

function shuttingDown(): LoadFailure {
  return new LoadFailure("IMPORT_FAILED", "import", "the server is shutting down.");
}

function asFailure(answer: CheckAnswer): LoadFailure {
  const { code = "IMPORT_FAILED", step = "import", message = "the check gave no answer" } = answer;
  return new LoadFailure(code, step, message);
}

function readMemory(path: string | undefined): string[] {
  if (!path) return [];
  try {
    const known: unknown = JSON.parse(readFileSync(path, "utf8"));
    return Array.isArray(known) ? known.filter((digest) => typeof digest === "string") : [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      console.warn(`reef: ${path} is unreadable, all services are checked again: ${messageOf(error)}`);
    }
    return [];
  }
}
