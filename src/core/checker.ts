/**
 * Tries unknown code in child processes before the server imports it. Endless loops, `process.exit()` and
 * crashes then happen in a child, which has a scratch data folder and working directory of its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Job, startsAlone } from "./checker/job.js";
import { JobQueue } from "./checker/job-queue.js";
import { KnownCode } from "./checker/known-code.js";
import { type CheckAnswer, type CheckRequest, MAX_CONCURRENT } from "./checker/messages.js";
import type { CheckProcess } from "./checker/process.js";
import { messageOf } from "./errors.js";
import { checkProcess } from "./lazy.js";
import { LoadFailure, shuttingDown } from "./load-failure.js";

/** What importing a module reveals about it. */
export interface ModuleFacts {
  name: string;
  dependencies: string[];
  hasInit: boolean;
}

/** Tries code outside the server's process. */
export interface Checker {
  /** Whether code with this digest has passed a check or served before. */
  knows(digest: string): boolean;
  /** Remembers, across restarts, that code with this digest need not be tried again. */
  remember(digest: string): void;
  /** Announces that code will soon be tried. If no code is known yet, a child process is started right away. */
  prepare?(): void;
  /** Imports a service folder in a child process. Rejects with a `LoadFailure`. */
  import(dirName: string): Promise<ModuleFacts>;
  /**
   * Starts folders in this order in a child process and stops them again. Rejects with the `LoadFailure` of the
   * last one.
   */
  start(dirNames: string[]): Promise<void>;
  /** Ends the child processes. */
  close(): Promise<void>;
}

/** Options of a `ChildChecker`. */
export interface ChildCheckerOptions {
  servicesDir: string;
  /** How long one import or one start may take, in milliseconds. */
  timeoutMs: number;
  /** The file that keeps digests of known code across restarts; see `KnownCode`. */
  memoryFile?: string;
  /**
   * The folder for the children's working directories and data folders. Used exclusively, and emptied at the
   * first check, in case a killed server left something behind. Default: a new temporary folder.
   */
  scratchDir?: string;
  /** How many children run in parallel while none is blocked; default 1. */
  children?: number;
}

/** The maximum number of children, counting those that are blocked or fail to start. */
const MAX_CHILDREN = 16;

/** Tries code in child processes that are started on demand and reused. */
export class ChildChecker implements Checker {
  readonly #options: ChildCheckerOptions;
  readonly #children = new Set<CheckProcess>();
  /** Children that have ended and are still being cleaned up. */
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
    const answer = await this.#submit({ op: "import", dirNames: [dirName] });
    if (answer.ok && answer.facts) return answer.facts;
    throw toFailure(answer);
  }

  async start(dirNames: string[]): Promise<void> {
    const answer = await this.#submit({ op: "start", dirNames });
    if (!answer.ok) throw toFailure(answer);
  }

  prepare(): void {
    if (!this.#closed && this.#known.isEmpty && this.#children.size === 0) this.#trySpawn();
  }

  #submit(request: CheckRequest): Promise<CheckAnswer> {
    if (this.#closed) return Promise.reject(shuttingDown());
    return new Promise((resolve, reject) => {
      const job: Job = { request, resolve, reject };
      this.#queue.add(job);
      // The child starts while the other requests of this tick arrive, and begins when there are enough of
      // them.
      if (this.#children.size === 0) this.#trySpawn(job);
      if (this.#queue.size === MAX_CONCURRENT) this.#assign();
      if (this.#assigning) return;
      this.#assigning = true;
      queueMicrotask(() => {
        this.#assigning = false;
        this.#assign();
      });
    });
  }

  /** Assigns as many queued jobs as possible. */
  #assign(): void {
    for (const jobs of this.#queue.kinds) this.#handOut(jobs);
  }

  /** Assigns jobs of one kind, in batches where allowed, until no child has room. */
  #handOut(jobs: readonly Job[]): void {
    // A few jobs are spread over all children.
    const share = Math.min(MAX_CONCURRENT, Math.ceil(jobs.length / this.#allowed));
    while (!this.#closed) {
      const [job] = jobs;
      if (!job) return;
      const child = this.#findIdle() ?? this.#trySpawn(job) ?? this.#withMostRoom(job);
      const room = child?.room(job) ?? 0;
      if (!child || room === 0) return;
      child.work(this.#queue.take(job, Math.min(room, startsAlone(job) ? 1 : share)));
    }
  }

  #trySpawn(job?: Job): CheckProcess | undefined {
    try {
      return this.#spawn(job);
    } catch (error) {
      // The disk or the process table is full.
      if (this.#children.size === 0) for (const one of this.#queue.takeAll()) one.reject(spawnFailure(error));
      return undefined;
    }
  }

  #findIdle(): CheckProcess | undefined {
    return [...this.#children].find((child) => child.idle);
  }

  #spawn(job?: Job): CheckProcess | undefined {
    const working = [...this.#children].filter((child) => !job || child.takesSoon(job)).length;
    if (working >= this.#allowed || this.#children.size >= MAX_CHILDREN) return undefined;
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

/**
 * Prepares the scratch folder. Leftovers that cannot be removed stay: each child gets a folder of its own
 * anyway.
 */
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

function spawnFailure(error: unknown): LoadFailure {
  const message = `no child process can be started to check the code: ${messageOf(error)}`;
  return new LoadFailure("CHECK_FAILED", "import", message, { cause: error });
}

function toFailure(answer: CheckAnswer): LoadFailure {
  const { code = "IMPORT_FAILED", step = "import", message = "the check did not respond" } = answer;
  return new LoadFailure(code, step, message);
}
