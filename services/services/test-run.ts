/** Runs a service's tests, in processes of their own, and says what came of it. */
import { codeFiles } from "../../src/core/code/code-files.js";
import { TEST_FILE } from "../../src/core/test-files.js";
import { TestKeeper } from "./test-run/keeper.js";
import type { TestVerdict } from "./test-run/verdict.js";

export interface TestRunOptions {
  /** The service's folder, absolute. */
  dir: string;
  /** How long all tests together may take, in milliseconds. */
  timeoutMs: number;
  /** Ends the run, with everything it started; it then rejects with the signal's reason. */
  signal: AbortSignal;
}

/** Relative paths of a service's test files. */
export function testFiles(dir: string): string[] {
  return codeFiles(dir).filter((file) => TEST_FILE.test(file));
}

let keeper: TestKeeper | undefined;

/**
 * Runs `bun test` on a service's test files, in a scratch working directory, with a scratch data folder, without
 * the server's own environment. Nothing that the tests started is left when this resolves.
 */
export async function runTests({ dir, timeoutMs, signal }: TestRunOptions): Promise<TestVerdict> {
  const files = testFiles(dir);
  if (files.length === 0) {
    return { status: "skipped", detail: "the folder has no test files (*.test.ts, *.spec.ts)" };
  }
  signal.throwIfAborted();
  if (!keeper || keeper.ended) keeper = new TestKeeper();
  return keeper.run({ dir, files, timeoutMs, signal });
}
