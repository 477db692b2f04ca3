/** Runs a test command to its end, within a limit, and leaves nothing of it running. */
import { collect } from "../services/services/test-run/output.js";
import { endProcessTree, processTree } from "../src/core/process-tree.js";

export interface TestRun {
  /** The exit code, or `null` when the run was cut off. */
  code: number | null;
  /** What it wrote to stderr, which is where Bun reports on tests. */
  output: string;
  /** How many processes were still there when their time was over, and had to be ended. */
  left: number;
}

export interface TestRunOptions {
  /** How long the run may take, in milliseconds. */
  limitMs: number;
  /** How long what it started may outlive it, in milliseconds: some ends when it sees the run gone. */
  graceMs: number;
  /** Gets what the run writes to stderr, as it comes. */
  show?: (chunk: Uint8Array) => void;
}

/** The variable that marks a run and what it starts. */
const MARK = "REEF_CHECK_OF_ALL";

/** What may cut a run off from outside, with the exit codes that say so. What it started is ended first. */
const INTERRUPTIONS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** How long what was ended may keep its pipes open, in milliseconds. */
const PIPE_LIMIT_MS = 1000;

/** Runs `command` in `cwd`. What it started is found by its mark, or by its parents while these live: on Linux only. */
export async function runTests(
  command: string[],
  cwd: string,
  { limitMs, graceMs, show = (chunk) => process.stderr.write(chunk) }: TestRunOptions,
): Promise<TestRun> {
  const mark = Bun.randomUUIDv7();
  const child = Bun.spawn(command, {
    cwd,
    env: { ...process.env, [MARK]: mark },
    stdin: "ignore",
    stdout: "inherit",
    stderr: "pipe",
    // Its process group is its own, so that all of it can be ended.
    detached: true,
  });
  const decoder = new TextDecoder();
  let output = "";
  const add = (chunk: Uint8Array) => {
    show(chunk);
    output += decoder.decode(chunk, { stream: true });
  };
  const closing = new AbortController();
  const reading = collect(child.stderr, { add }, closing.signal);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), limitMs);
  });
  const marker = `${MARK}=${mark}`;
  const interrupted = (signal: keyof typeof INTERRUPTIONS) => {
    void endProcessTree(child.pid, marker).finally(() => process.exit(INTERRUPTIONS[signal]));
  };
  const signals = Object.keys(INTERRUPTIONS) as Array<keyof typeof INTERRUPTIONS>;
  for (const signal of signals) process.on(signal, interrupted);
  const code = await Promise.race([child.exited, limit]);
  clearTimeout(timer);
  for (const signal of signals) process.off(signal, interrupted);
  const left = code === null ? 0 : await leftAfter(graceMs, () => processTree(child.pid, marker));
  await endProcessTree(child.pid, marker);
  child.kill("SIGKILL");
  // A process that nobody could find may hold the other end for ever.
  await Promise.race([reading, Bun.sleep(PIPE_LIMIT_MS)]);
  closing.abort();
  return { code, output, left };
}

/** How many tests passed, failed and were skipped, by the last summary, which is Bun's: tests may print the like. */
export function countsOf(output: string): Record<"pass" | "fail" | "skip", number> {
  const summaries = Bun.stripANSI(output).matchAll(
    /^(?:(?: *\d+|snapshots:) .*\n)+Ran \d+ tests? across .*$/gm,
  );
  const summary = [...summaries].at(-1)?.[0] ?? "";
  const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(summary)?.[1] ?? 0);
  return { pass: count("pass"), fail: count("fail"), skip: count("skip") };
}

async function leftAfter(graceMs: number, find: () => Promise<number[]>): Promise<number> {
  const deadline = performance.now() + graceMs;
  for (;;) {
    const { length } = await find();
    if (length === 0 || performance.now() > deadline) return length;
    await Bun.sleep(50);
  }
}
