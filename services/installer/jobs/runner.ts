/** Runs jobs: a few at once, each in a workspace of its own, within a time limit, without showing its token. */
import { messageOf } from "../../../src/core/errors.js";
import type { Logger } from "../../../src/core/log.js";
import { isFull } from "../../../src/core/storage-error.js";
import { asForbidden, InstallError, printable } from "../errors.js";
import type { Folders } from "../folders.js";
import type { Action, Job, Jobs, Progress } from "../jobs.js";
import { Workspace } from "../workspace.js";

/** What a job has while it runs. */
export interface JobContext {
  progress: Progress;
  workspace: Workspace;
  /** Aborted at the end of its time and when the installer is stopped; its reason is an `InstallError`. */
  signal: AbortSignal;
}

export interface JobOptions {
  action: Action;
  dirName: string;
  source: string;
  /** Taken out of whatever is shown. */
  token?: string;
}

/** A job that has begun. */
export interface Started {
  job: Job;
  /** Rejects with an `InstallError`. */
  result: Promise<Record<string, unknown>>;
}

type Work = (context: JobContext) => Promise<Record<string, unknown>>;

const MOST_AT_ONCE = 4;

export class JobRunner {
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(
    private readonly jobs: Jobs,
    /** How long a job may take, in milliseconds. */
    private readonly timeoutMs: number,
    private readonly log: Logger,
  ) {}

  /** Throws an `InstallError` when the job cannot begin now. */
  begin({ action, dirName, source, token }: JobOptions, folders: Folders, work: Work): Started {
    this.#ending.signal.throwIfAborted();
    if (this.jobs.running >= MOST_AT_ONCE) {
      throw new InstallError(
        503,
        "source",
        `${MOST_AT_ONCE} jobs are running; try again when one has finished.`,
      );
    }
    const workspace = Workspace.open(folders, dirName);
    const clean = cleaner(token);
    const progress = this.jobs.begin(action, dirName, printable(source, 200), clean);
    const result = this.#run(progress, workspace, clean, work);
    this.#running.add(result);
    // Whoever asked may be gone by then; the job says how it ended.
    result.catch(() => undefined).finally(() => this.#running.delete(result));
    return { job: progress.job, result };
  }

  async #run(
    progress: Progress,
    workspace: Workspace,
    clean: (text: string) => string,
    work: Work,
  ): Promise<Record<string, unknown>> {
    const limit = new AbortController();
    const ms = this.timeoutMs;
    const timer = setTimeout(() => {
      limit.abort(
        new InstallError(504, "fetch", `it did not finish within ${ms} ms (REEF_INSTALL_TIMEOUT).`),
      );
    }, ms);
    const signal = AbortSignal.any([limit.signal, this.#ending.signal]);
    try {
      const result = await work({ progress, workspace, signal });
      await progress.done(result);
      return result;
    } catch (error) {
      const step = progress.job.steps.at(-1)?.step ?? "source";
      const failure = cleaned(signal.aborted ? signal.reason : asForbidden(error, step), clean);
      const status = failure instanceof InstallError ? failure.status : isFull(failure) ? 507 : 500;
      const message = failure instanceof InstallError ? failure.message : messageOf(failure);
      if (status === 500) this.log.error(`${progress.job.action} of ${progress.job.dirName}:`, failure);
      await progress.failed(message, status);
      throw failure;
    } finally {
      clearTimeout(timer);
      await workspace.close(this.log);
    }
  }

  /** Ends what runs for this reason, each job undoing what it has done, and waits for that; no other begins. */
  async end(reason: unknown): Promise<void> {
    this.#ending.abort(reason);
    await Promise.allSettled(this.#running);
  }
}

/** Characters; no token that anybody gives out has fewer. */
const SHORT_TOKEN = 8;

/** Takes a token out of a text: a remote may send it back in its error, and from there it would be shown and kept. */
function cleaner(token: string | undefined): (text: string) => string {
  if (token === undefined) return (text) => text;
  const basic = Buffer.from(`x-access-token:${token}`).toString("base64");
  // What is so short is found in many words, which then could not be read, and would tell what it is made of.
  const alone = new RegExp(`(?<![\\w-])${RegExp.escape(token)}(?![\\w-])`, "g");
  const secret = token.length < SHORT_TOKEN ? alone : token;
  return (text) => text.replaceAll(secret, "…").replaceAll(basic, "…");
}

function cleaned(error: unknown, clean: (text: string) => string): unknown {
  if (!(error instanceof InstallError)) return error;
  return new InstallError(error.status, error.step, clean(error.message), error.details, {
    cause: error.cause,
  });
}
