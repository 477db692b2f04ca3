/** Real agents for tests: pi in a child process, on Node or on Bun, with scratch folders of its own. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export type Runtime = "node" | "bun";

const root = resolve(import.meta.dir, "..", "..");
const WATCH = join(import.meta.dir, "watch-network.mjs");
const LIMIT_MS = 15_000;

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
  /** From start to exit. */
  ms: number;
  /** Files that appeared in the agent's working directory and home. */
  files: string[];
  /** Connections that went elsewhere than to this machine. */
  outside: string;
}

/** Runs `script` as an agent's process. `env` is all it gets besides scratch folders and the path. */
export async function runAgent(
  runtime: Runtime,
  script: string,
  args: string[],
  env: Record<string, string> = {},
  prepare: (agentDir: string, env: Record<string, string>) => void | Promise<void> = () => undefined,
): Promise<Outcome> {
  const scratch = mkdtempSync(join(tmpdir(), "reef-agent-"));
  try {
    const dirs = Object.fromEntries(["home", "work", "pi", "tmp"].map((name) => [name, join(scratch, name)]));
    const { home = "", work = "", pi = "", tmp = "" } = dirs;
    for (const dir of [home, work, pi, tmp]) await Bun.$`mkdir -p ${dir}`.quiet();
    const networkLog = join(scratch, "network.log");
    const environment = {
      PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH}`,
      HOME: home,
      TMPDIR: tmp,
      PI_CODING_AGENT_DIR: pi,
      PI_OFFLINE: "1",
      BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
      REEF_TEST_NETWORK_LOG: networkLog,
      ...env,
    };
    await prepare(pi, environment);
    const command =
      runtime === "node"
        ? ["node", "--import", WATCH, script, ...args]
        : [process.execPath, "--no-install", "--preload", WATCH, script, ...args];
    const started = performance.now();
    const child = Bun.spawn(command, {
      cwd: work,
      env: environment,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    const files = [work, home].flatMap((dir) => readdirSync(dir, { recursive: true }).map(String));
    const outside = existsSync(networkLog) ? readFileSync(networkLog, "utf8") : "";
    return { code: child.exitCode, stdout, stderr, ms: performance.now() - started, files, outside };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What `session.mjs` reports. */
export interface SessionReport {
  loadErrors: string[];
  tools: string[];
  results: Array<{ name: string; isError: boolean; text: string }>;
  errors: string[];
  widgets: Array<{ key: string; lines: string[] }>;
  notifications: Array<{ message: string }>;
  loadMs: number;
  bindMs: number;
  promptMs: number;
}

export interface SessionRequest {
  extensions: string[];
  calls?: Array<{ name: string; arguments?: Record<string, unknown> }>;
  ui?: boolean;
  /** How many prompts there are; the calls are made in the last one. Default 1. */
  prompts?: number;
  abortAfterMs?: number;
  /** Events that are emitted after the calls, with a signal that is aborted once they are over. */
  aborted?: string[];
  /** What has to be said, in the terminal or as a warning, before the session ends. */
  until?: string[];
}

/** A session of a real pi in the child's own process, with a model that makes these calls. */
export async function runSession(
  runtime: Runtime,
  request: SessionRequest,
  env: Record<string, string> = {},
): Promise<Outcome & { report: SessionReport }> {
  const outcome = await runAgent(
    runtime,
    join(import.meta.dir, "session.mjs"),
    [JSON.stringify(request)],
    env,
  );
  const line = outcome.stdout.trim().split("\n").at(-1) ?? "";
  if (outcome.code !== 0 || !line.startsWith("{")) {
    throw new Error(
      `the agent ended with ${outcome.code}:\n${outcome.stdout}\n${outcome.stderr.slice(-2000)}`,
    );
  }
  return { ...outcome, report: JSON.parse(line) as SessionReport };
}

const CLI = join(root, "node_modules", "@mariozechner", "pi-coding-agent", "dist", "cli.js");

/**
 * `pi -p` as people start it, against a model server.
 *
 * @param extension The file of an extension; or what `pi install` takes, which is installed first.
 */
export async function runPi(
  runtime: Runtime,
  extension: string | { install: string },
  modelUrl: string,
  env: Record<string, string> = {},
): Promise<Outcome> {
  const given = typeof extension === "string" ? ["-ne", "-e", extension] : [];
  const args = ["-p", "--no-session", "--offline", ...given, "--model", "fake/fake-1", "do it"];
  const models = {
    providers: {
      fake: {
        baseUrl: `${modelUrl}/v1`,
        apiKey: "none",
        api: "openai-completions",
        models: [{ id: "fake-1", name: "Fake", input: ["text"], contextWindow: 100_000, maxTokens: 1000 }],
      },
    },
  };
  return runAgent(runtime, CLI, args, env, async (pi, environment) => {
    await Bun.write(join(pi, "models.json"), JSON.stringify(models));
    if (typeof extension === "string") return;
    const child = Bun.spawn(["node", CLI, "install", extension.install], {
      cwd: pi,
      env: { ...environment, GIT_TERMINAL_PROMPT: "0" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: LIMIT_MS,
    });
    const output = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    if ((await child.exited) !== 0) throw new Error(`pi install failed:\n${output.join("\n")}`);
  });
}
