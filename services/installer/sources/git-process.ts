/** Runs git, says why it failed, and ends it when a repository grows beyond its limit. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { InstallError, printable } from "../errors.js";
import { LIMITS } from "../limits.js";
import { type RunResult, run } from "../process.js";

const POLL_MS = 250;

export class Git {
  readonly #cwd: string;
  readonly #env: Record<string, string>;
  readonly #signal: AbortSignal;
  readonly #tooLarge = new AbortController();

  constructor(cwd: string, env: Record<string, string>, signal: AbortSignal) {
    this.#cwd = cwd;
    this.#env = env;
    this.#signal = AbortSignal.any([signal, this.#tooLarge.signal]);
  }

  run(args: string[], consume?: (stdout: ReadableStream<Uint8Array>) => Promise<void>): Promise<RunResult> {
    const signal = this.#signal;
    return run(["git", ...args], { cwd: this.#cwd, env: this.#env, signal, step: "fetch", consume });
  }

  refuseSize(): void {
    const most = LIMITS.repositoryBytes / 1024 / 1024;
    this.#tooLarge.abort(new InstallError(400, "fetch", `the repository is larger than ${most} MiB.`));
  }
}

/** @throws InstallError 502 when git failed. */
export function must(result: RunResult, what: string): void {
  if (result.code !== 0) throw gitFailure(what, result);
}

/** git says why on stderr, in its last lines; some of it is the remote's own words. */
export function gitFailure(what: string, { code, stderr }: RunResult): InstallError {
  const lines = stderr.split("\n").filter((line) => /^(fatal|error|remote):/.test(line));
  const why = printable(lines.slice(-2).join("; ") || stderr, 300) || `git exited with code ${code}`;
  return new InstallError(502, "fetch", `${what}: ${why}`);
}

/** Ends git when a repository grows beyond its limit. Returns what stops the watching. */
export function watchSize(repository: string, git: Git): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let over = false;
  const look = async () => {
    const bytes = await sizeOf(repository);
    if (bytes > LIMITS.repositoryBytes) git.refuseSize();
    else if (!over) timer = setTimeout(look, POLL_MS);
  };
  timer = setTimeout(look, POLL_MS);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await sizeOf(path);
    // git renames and removes files while we look.
    else
      bytes += await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
  }
  return bytes;
}
