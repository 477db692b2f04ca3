/** Runs a test command to its end, within a limit, and leaves nothing of it running. */
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

/** A process that holds the run's pipes does not hold up the result. */
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
  });
  const output = textOf(child.stderr, show);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), limitMs);
  });
  const code = await Promise.race([child.exited, limit]);
  clearTimeout(timer);
  const marker = `${MARK}=${mark}`;
  const left = code === null ? 0 : await leftAfter(graceMs, () => processTree(child.pid, marker));
  child.kill("SIGKILL");
  await endProcessTree(child.pid, marker);
  return { code, output: await output, left };
}

/** How many tests passed, failed and were skipped, by the summary with which Bun ends; tests may print the like. */
export function countsOf(output: string): Record<"pass" | "fail" | "skip", number> {
  const summary = /(?:^|\n)(?: *\d+ .*\n)+Ran \d+ tests? across .*$/.exec(output.trimEnd())?.[0] ?? "";
  const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(summary)?.[1] ?? 0);
  return { pass: count("pass"), fail: count("fail"), skip: count("skip") };
}

async function textOf(
  stream: ReadableStream<Uint8Array>,
  show: (chunk: Uint8Array) => void,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    show(chunk);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

async function leftAfter(graceMs: number, find: () => Promise<number[]>): Promise<number> {
  const deadline = performance.now() + graceMs;
  for (;;) {
    const { length } = await find();
    if (length === 0 || performance.now() > deadline) return length;
    await Bun.sleep(50);
  }
}
