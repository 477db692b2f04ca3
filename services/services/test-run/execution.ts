/** Runs a service's tests in a child process of this one and says what came of it. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { testPreload } from "../../../src/core/preloads.js";
import { lowerPriority } from "../../../src/core/priority.js";
import { endProcessGroup, endProcessTree } from "../../../src/core/process-tree.js";
import { collect, TestOutput } from "./output.js";
import { makeScratch } from "./scratch.js";
import { failedWith, type TestVerdict, verdictOn } from "./verdict.js";

export interface TestExecution {
  /** The service's folder, absolute. */
  dir: string;
  /** Relative paths of its test files. */
  files: string[];
  /** How long all tests together may take, in milliseconds. */
  timeoutMs: number;
  /** The process id of the server. */
  server: number;
  /** Stands in the environment of the tests, and of what they start. */
  mark: string;
  /** Ends the run, with everything it started; it then rejects with the signal's reason. */
  signal: AbortSignal;
}

/** The variable that holds the mark. */
export const MARK = "REEF_TEST_RUN";

/** What one test may take at most, in milliseconds; the same as in the project's own runs. */
const ONE_TEST_MS = 20_000;

/** How long pipes may stay open after everything has been ended, in milliseconds. */
const PIPE_LIMIT_MS = 1000;

/**
 * Runs `bun test` on a service's test files, in a scratch working directory, with a scratch data folder, without
 * the server's own environment. Nothing that the tests started is left when this resolves.
 */
export async function executeTests(execution: TestExecution): Promise<TestVerdict> {
  const scratch = await makeScratch(execution.server);
  try {
    await mkdir(join(scratch, "work"));
    return await run(execution, scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function run(
  { dir, files, timeoutMs, mark, signal }: TestExecution,
  scratch: string,
): Promise<TestVerdict> {
  signal.throwIfAborted();
  const summary = join(scratch, "summary.xml");
  const child = Bun.spawn(
    [
      process.execPath,
      "test",
      "--no-install",
      `--timeout=${Math.min(timeoutMs, ONE_TEST_MS)}`,
      `--preload=${testPreload}`,
      "--reporter=junit",
      `--reporter-outfile=${summary}`,
      ...files.map((file) => join(dir, file)),
    ],
    {
      cwd: join(scratch, "work"),
      env: testEnvironment(scratch, mark),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    },
  );
  // Its priority is this process's, but it begins a session of its own.
  lowerPriority(child.pid);
  const abort = () => endProcessGroup(child.pid);
  signal.addEventListener("abort", abort);
  const output = new TestOutput();
  const closing = new AbortController();
  const pipes = Promise.all([
    collect(child.stdout, output, closing.signal),
    collect(child.stderr, output, closing.signal),
  ]);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<"timeout">((resolve) => {
    timer = setTimeout(() => resolve("timeout"), timeoutMs);
  });
  try {
    const ended = await Promise.race([child.exited, limit]);
    await endProcessTree(child.pid, `${MARK}=${mark}`);
    await child.exited;
    await Promise.race([pipes, Bun.sleep(PIPE_LIMIT_MS)]);
    signal.throwIfAborted();
    if (ended === "timeout") {
      return failedWith(
        `the tests did not finish within ${timeoutMs} ms (REEF_TEST_TIMEOUT) and were stopped`,
        output,
      );
    }
    return verdictOn({ code: child.exitCode, signal: child.signalCode }, summary, output);
  } finally {
    clearTimeout(timer);
    closing.abort();
    signal.removeEventListener("abort", abort);
  }
}

/** The environment of this process, which has nothing of the server's; see test-keeper.ts. */
function testEnvironment(scratch: string, mark: string): Record<string, string | undefined> {
  return {
    ...process.env,
    PORT: "0",
    TMPDIR: scratch,
    // Tests of one service only count when all of them run, and snapshots are compared, not written.
    CI: "true",
    NO_COLOR: "1",
    [MARK]: mark,
  };
}
