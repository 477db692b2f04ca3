/** Runs a service's tests in a child process of their own and says what came of it. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { breathe } from "../../src/core/breathe.js";
import { codeFiles } from "../../src/core/digest.js";
import { testPreload } from "../../src/core/host-modules.js";
import { endProcessGroup, endProcessTree } from "../../src/core/process-tree.js";
import { collect, TestOutput } from "./test-output.js";
import { failedWith, type TestVerdict, verdictOn } from "./test-verdict.js";

export interface TestRunOptions {
  /** The service's folder, absolute. */
  dir: string;
  /** How long all tests together may take, in milliseconds. */
  timeoutMs: number;
  /** Ends the run, with everything it started; it then rejects with the signal's reason. */
  signal: AbortSignal;
}

/** File names that `bun test` takes for tests. */
const TEST_FILE = /[._](test|spec)\.[cm]?[jt]sx?$/;

/** What one test may take at most, in milliseconds; the same as in the project's own runs. */
const ONE_TEST_MS = 20_000;

/** How long pipes may stay open after everything has been ended, in milliseconds. */
const PIPE_LIMIT_MS = 1000;

/** Relative paths of a service's test files. */
export function testFiles(dir: string): string[] {
  return codeFiles(dir).filter((file) => TEST_FILE.test(file));
}

/**
 * Runs `bun test` on a service's test files, in a scratch working directory, with a scratch data folder, without
 * the server's own environment. Nothing that the tests started is left when this resolves.
 */
export async function runTests({ dir, timeoutMs, signal }: TestRunOptions): Promise<TestVerdict> {
  const files = testFiles(dir);
  if (files.length === 0) {
    return { status: "skipped", detail: "the folder has no test files (*.test.ts, *.spec.ts)" };
  }
  const scratch = await mkdtemp(join(tmpdir(), "reef-deploy-"));
  try {
    await mkdir(join(scratch, "work"));
    return await run({ dir, files, scratch, timeoutMs, signal });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Run extends TestRunOptions {
  files: string[];
  scratch: string;
}

async function run({ dir, files, scratch, timeoutMs, signal }: Run): Promise<TestVerdict> {
  await breathe();
  signal.throwIfAborted();
  const mark = Bun.randomUUIDv7();
  const summary = join(scratch, "summary.xml");
  const child = Bun.spawn(
    [
      process.execPath,
      "test",
      "--no-orphans",
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
    await endProcessTree(child.pid, `REEF_TEST_RUN=${mark}`);
    await child.exited;
    await Promise.race([pipes, Bun.sleep(PIPE_LIMIT_MS)]);
    signal.throwIfAborted();
    if (ended === "timeout") {
      return failedWith(`the tests did not finish in ${timeoutMs} ms and were ended`, output);
    }
    return verdictOn({ code: child.exitCode, signal: child.signalCode }, summary, output);
  } finally {
    clearTimeout(timer);
    closing.abort();
    signal.removeEventListener("abort", abort);
  }
}

/** Nothing that would lead the tests to the running server, its token or its data. */
function testEnvironment(scratch: string, mark: string): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([key]) => !/^(VERS|REEF)_/.test(key));
  return {
    ...Object.fromEntries(inherited),
    PORT: "0",
    TMPDIR: scratch,
    // Tests of one service only count when all of them run, and snapshots are compared, not written.
    CI: "true",
    NO_COLOR: "1",
    REEF_TEST_RUN: mark,
  };
}
