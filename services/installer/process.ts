/** Runs a program: an argument array, a clean environment, a time limit, and an end of the whole process group. */
import { endProcessGroup } from "../../src/core/process-tree.js";
import { InstallError, type Step } from "./errors.js";

export interface RunOptions {
  cwd: string;
  /** All of it; nothing is inherited. */
  env: Record<string, string>;
  /** Ends the program and everything it started. */
  signal: AbortSignal;
  /** Names the failure when it is ended. */
  step: Step;
  /** Receives the output while it comes; without one it is collected. */
  consume?: (stdout: ReadableStream<Uint8Array>) => Promise<void>;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Bytes of output that are kept; what follows is read and dropped. */
const MOST_OUTPUT = 256 * 1024;

/** Environment variables that programs need to find themselves and the network. */
const INHERITED = [
  "PATH",
  "TMPDIR",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
];

/** A fresh environment: what a program cannot do without, and `own`. No token of ours is in it. */
export function cleanEnvironment(
  own: Record<string, string>,
  more: readonly string[] = [],
): Record<string, string> {
  const env: Record<string, string> = { LANG: "C.UTF-8" };
  for (const key of [...INHERITED, ...more]) {
    const value = process.env[key];
    if (value !== undefined) env[key] = value;
  }
  return { ...env, ...own };
}

/** Resolves when the program has ended, whatever its exit code. Rejects when it was ended, or could not start. */
export async function run(argv: string[], options: RunOptions): Promise<RunResult> {
  const { cwd, env, signal, step } = options;
  signal.throwIfAborted();
  let child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  try {
    child = Bun.spawn(argv, { cwd, env, stdin: "ignore", stdout: "pipe", stderr: "pipe", detached: true });
  } catch (error) {
    throw new InstallError(
      503,
      step,
      `cannot start ${argv[0]}; check that it is installed on this machine.`,
      {},
      { cause: error },
    );
  }
  const end = () => endProcessGroup(child.pid);
  signal.addEventListener("abort", end);
  const stderr = collect(child.stderr);
  const output = options.consume ? options.consume(child.stdout).then(() => "") : collect(child.stdout);
  // A consumer that refuses what it reads must not leave the program writing into a full pipe.
  output.catch(end);
  try {
    const code = await child.exited;
    // Whatever it left running holds the pipes open.
    end();
    const [text, errors] = await Promise.all([output, stderr]);
    signal.throwIfAborted();
    return { code, stdout: text, stderr: errors };
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    if (text.length < MOST_OUTPUT) text += decoder.decode(chunk, { stream: true });
  }
  return text.slice(0, MOST_OUTPUT);
}
