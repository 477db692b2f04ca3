/**
 * Tries unknown code in child processes before the server imports it: what loops for ever, ends its process or
 * crashes it does so there. A child has a scratch data folder and working directory of its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CheckAnswer, CheckRequest } from "./check-child.js";
import { CheckProcess, type Job } from "./check-process.js";
import { messageOf } from "./errors.js";
import { KnownCode } from "./known-code.js";
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

/** Folders that are imported side by side, which takes half the time of one after the other. */
const TOGETHER = 16;
const MOST_CHILDREN = 8;

/** Checks in children that are started when needed and kept for the next check. */
export class ChildChecker implements Checker {
  readonly #options: ChildCheckerOptions;
  readonly #children = new Set<CheckProcess>();
  #queue: Job[] = [];
  readonly #known: KnownCode;
  #scratch: string | undefined;
  #allowed: number;
  #closed = false;
  /** Whether something has ended or held up a child that did several at once: each is tried alone while jobs wait. */
  #careful = false;
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

  #ask(request: CheckRequest): Promise<CheckAnswer> {
    if (this.#closed) return Promise.reject(shuttingDown());
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve: ([answer]) => resolve(answer as CheckAnswer), reject });
      if (this.#assigning) return;
      this.#assigning = true;
      // It starts while the rest of what is asked for at once comes in.
      if (this.#children.size === 0) this.#tryAnother();
      queueMicrotask(() => {
        this.#assigning = false;
        this.#assign();
      });
    });
  }

  /** Hands jobs to idle children, then to new ones, then behind the jobs of those that have room. */
  #assign(): void {
    if (this.#closed) return;
    while (this.#queue.length > 0) {
      const child = this.#idle() ?? this.#tryAnother() ?? this.#withMostRoom();
      if (!child) return;
      const job = this.#next();
      if (job) child.work(job);
    }
    if ([...this.#children].every((child) => child.idle)) this.#careful = false;
  }

  /** Imports come first, several at once: an `init` takes longer, and may be one of many that never end. */
  #next(): Job | undefined {
    const imports = this.#queue.filter(({ request }) => request.op === "import");
    // Both children get some of a few.
    const share = Math.min(TOGETHER, Math.ceil(imports.length / this.#allowed));
    const jobs = (imports.length > 0 ? imports : this.#queue).slice(
      0,
      this.#careful ? 1 : Math.max(1, share),
    );
    this.#queue = this.#queue.filter((job) => !jobs.includes(job));
    return jobs.length === 1 ? jobs[0] : together(jobs);
  }

  #tryAnother(): CheckProcess | undefined {
    try {
      return this.#another();
    } catch (error) {
      // No room on the disk, or for another process.
      if (this.#children.size === 0) for (const job of this.#queue.splice(0)) job.reject(notTried(error));
      return undefined;
    }
  }

  #idle(): CheckProcess | undefined {
    return [...this.#children].find((child) => child.idle);
  }

  #another(): CheckProcess | undefined {
    const working = [...this.#children].filter((child) => !child.slow).length;
    if (working >= this.#allowed || this.#children.size >= MOST_CHILDREN) return undefined;
    this.#scratch ??= emptyScratch(this.#options.scratchDir);
    const takeBack = (waiting: Job[]) => {
      if (waiting.some((job) => job.together)) this.#careful = true;
      this.#queue.unshift(...waiting.flatMap((job) => job.together ?? job));
      this.#assign();
    };
    const child = new CheckProcess(
      { ...this.#options, scratch: this.#scratch },
      {
        onRoom: () => this.#assign(),
        onSlow: takeBack,
        onEnd: (waiting) => {
          this.#children.delete(child);
          takeBack(waiting);
        },
      },
    );
    this.#children.add(child);
    return child;
  }

  #withMostRoom(): CheckProcess | undefined {
    const [best] = [...this.#children].sort((a, b) => b.room - a.room);
    return best && best.room > 0 ? best : undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#queue.splice(0)) job.reject(shuttingDown());
    await Promise.all([...this.#children].map((child) => child.end(shuttingDown())));
    await this.#known.saved();
    if (this.#scratch !== undefined) rmSync(this.#scratch, { recursive: true, force: true });
  }
}

function together(jobs: Job[]): Job {
  return {
    request: { op: "import", dirNames: jobs.flatMap(({ request }) => request.dirNames) },
    resolve: (answers) => {
      for (const [index, job] of jobs.entries()) job.resolve(answers.slice(index, index + 1));
    },
    reject: (failure) => {
      for (const job of jobs) job.reject(failure);
    },
    together: jobs,
  };
}

/** A folder for the children. What cannot be removed from it is left: each child gets a folder of its own anyway. */
function emptyScratch(folder: string | undefined): string {
  if (folder === undefined) return mkdtempSync(join(tmpdir(), "reef-check-"));
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    console.warn(`reef: cannot remove ${folder}, left by a server that was killed: ${messageOf(error)}`);
  }
  return folder;
}

function notTried(error: unknown): LoadFailure {
  const message = `no child process can be started to try the code in: ${messageOf(error)}`;
  return new LoadFailure("CHECK_FAILED", "import", message, { cause: error });
}

function asFailure(answer: CheckAnswer): LoadFailure {
  const { code = "IMPORT_FAILED", step = "import", message = "the check gave no answer" } = answer;
  return new LoadFailure(code, step, message);
}
