/**
 * Tries unknown code in child processes before the server imports it: what loops for ever, ends its process or
 * crashes it does so there. A child has a scratch data folder and working directory of its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isAlone, type Job } from "./checker/job.js";
import { JobQueue } from "./checker/job-queue.js";
import { KnownCode } from "./checker/known-code.js";
import { type CheckAnswer, type CheckRequest, TOGETHER } from "./checker/messages.js";
import type { CheckProcess } from "./checker/process.js";
import { messageOf } from "./errors.js";
import { checkProcess } from "./lazy.js";
import { LoadFailure, shuttingDown } from "./load-failure.js";

/** What an import tells about a module. */
export interface ModuleFacts {
  name: string;
  dependencies: string[];
  hasInit: boolean;
}

export interface Checker {
  /** Whether code with this digest has passed a check or served before. */
  knows(digest: string): boolean;
  /** Notes, also for later starts of the server, that code with this digest need not be tried again. */
  remember(digest: string): void;
  /** There will soon be code to try: when none is known, what it is tried in starts now. */
  prepare?(): void;
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
  /** Where the digests of known code are kept across restarts, see `KnownCode`. */
  memoryFile?: string;
  /**
   * Where children get their working directories and data folders. It is emptied at the first check, of what a
   * server left that was killed: nobody else may use it. Default: a fresh folder in the system's temporary one.
   */
  scratchDir?: string;
  /** Children that work side by side while all goes well. */
  children?: number;
}

/** Children there are at most, where code blocks them or they do not come up. */
const MOST_CHILDREN = 16;

/** Checks in children that are started when needed and kept for the next check. */
export class ChildChecker implements Checker {
  readonly #options: ChildCheckerOptions;
  readonly #children = new Set<CheckProcess>();
  /** Of those that have ended, what is left is still being looked for. */
  readonly #leaving = new Set<CheckProcess>();
  readonly #queue = new JobQueue();
  readonly #known: KnownCode;
  #scratch: string | undefined;
  #allowed: number;
  #closed = false;
  #assigning = false;

  constructor(options: ChildCheckerOptions) {
    this.#options = options;
    this.#allowed = options.children ?? 1;
    this.#known = new KnownCode(options.memoryFile);
  }

  knows(digest: string): boolean {
    return this.#known.has(digest);
  }

  remember(digest: string): void {
    this.#known.add(digest);
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

  prepare(): void {
    if (!this.#closed && this.#known.isEmpty && this.#children.size === 0) this.#tryAnother();
  }

  #ask(request: CheckRequest): Promise<CheckAnswer> {
    if (this.#closed) return Promise.reject(shuttingDown());
    return new Promise((resolve, reject) => {
      const job: Job = { request, resolve, reject };
      this.#queue.add(job);
      // It starts while the rest of what is asked for at once comes in, and begins when there is enough for it.
      if (this.#children.size === 0) this.#tryAnother(job);
      if (this.#queue.size === TOGETHER) this.#assign();
      if (this.#assigning) return;
      this.#assigning = true;
      queueMicrotask(() => {
        this.#assigning = false;
        this.#assign();
      });
    });
  }

  /** Hands out what can be done now. */
  #assign(): void {
    for (const jobs of this.#queue.kinds) this.#hand(jobs);
  }

  /** Hands out jobs of one kind, several at once where they may be, until no child has room. */
  #hand(jobs: readonly Job[]): void {
    // All children get some of a few.
    const share = Math.min(TOGETHER, Math.ceil(jobs.length / this.#allowed));
    while (!this.#closed) {
      const [job] = jobs;
      if (!job) return;
      const child = this.#idle() ?? this.#tryAnother(job) ?? this.#withMostRoom(job);
      const room = child?.room(job) ?? 0;
      if (!child || room === 0) return;
      child.work(this.#queue.take(job, Math.min(room, isAlone(job) ? 1 : share)));
    }
  }

  #tryAnother(job?: Job): CheckProcess | undefined {
    try {
      return this.#another(job);
    } catch (error) {
      // No room on the disk, or for another process.
      if (this.#children.size === 0) for (const one of this.#queue.takeAll()) one.reject(notTried(error));
      return undefined;
    }
  }

  #idle(): CheckProcess | undefined {
    return [...this.#children].find((child) => child.idle);
  }

  #another(job?: Job): CheckProcess | undefined {
    const working = [...this.#children].filter((child) => !job || child.takesSoon(job)).length;
    if (working >= this.#allowed || this.#children.size >= MOST_CHILDREN) return undefined;
    this.#scratch ??= emptyScratch(this.#options.scratchDir);
    const child = new (checkProcess().CheckProcess)(
      { ...this.#options, scratch: this.#scratch },
      {
        onRoom: () => this.#assign(),
        onHandBack: (jobs) => {
          this.#queue.putBack(jobs);
          this.#assign();
        },
        onEnd: () => {
          this.#children.delete(child);
          this.#leaving.add(child);
          void child.gone.then(() => this.#leaving.delete(child));
          this.#assign();
        },
      },
    );
    this.#children.add(child);
    return child;
  }

  #withMostRoom(job: Job): CheckProcess | undefined {
    const [best] = [...this.#children].toSorted((a, b) => b.room(job) - a.room(job));
    return best;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#queue.takeAll()) job.reject(shuttingDown());
    await Promise.all([...this.#children].map((child) => child.end(shuttingDown())));
    await Promise.all([...this.#leaving].map((child) => child.gone));
    await this.#known.saved();
    try {
      if (this.#scratch !== undefined) rmSync(this.#scratch, { recursive: true, force: true });
    } catch (error) {
      console.warn(`reef: cannot remove ${this.#scratch}: ${messageOf(error)}`);
    }
  }
}

/** A folder for the children. What cannot be removed from it is left: each child gets a folder of its own anyway. */
function emptyScratch(folder: string | undefined): string {
  if (folder === undefined) {
    const { tmpdir } = process.getBuiltinModule("node:os");
    return mkdtempSync(join(tmpdir(), "reef-check-"));
  }
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    console.warn(`reef: cannot remove ${folder}, left by a server that was killed: ${messageOf(error)}`);
  }
  return folder;
}

function notTried(error: unknown): LoadFailure {
  const message = `no child process can be started to check the code: ${messageOf(error)}`;
  return new LoadFailure("CHECK_FAILED", "import", message, { cause: error });
}

function asFailure(answer: CheckAnswer): LoadFailure {
  const { code = "IMPORT_FAILED", step = "import", message = "the check did not respond" } = answer;
  return new LoadFailure(code, step, message);
}
