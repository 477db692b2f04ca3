/** Runs commands for plugins. */
import { realpathSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { endProcessTree } from "../core/process-tree.js";
import type { CommandResult } from "./client.js";
import type { CommandWatch } from "./commands/watch.js";
import { BrokerError } from "./errors.js";
import type { LoadedPlugin } from "./manifest.js";
import type { Permissions } from "./permissions/set.js";
import { EXECUTE, READ } from "./sandbox/landlock.js";
import { fileLayers } from "./sandbox/layers.js";
import { codeRules, spawnConfined, systemRules } from "./sandbox/spawn.js";

/** The conditions under which a command runs. */
export interface CommandOptions {
  plugin: LoadedPlugin;
  permissions: Permissions;
  env: Record<string, string>;
  proxySocket: string | null;
  confined: boolean;
  /** The search path for program names. */
  searchPath: string;
  /** In milliseconds. */
  timeout: number;
  signal: AbortSignal;
  maxFileRules: number;
  watch: CommandWatch;
  /** Commands of one owner share resource limits. */
  owner: object;
  /** Receives the reason if the command is killed for exceeding limits. */
  note(line: string): void;
}

const MAX_OUTPUT = 1024 * 1024;
/**
 * The maximum size of one output as JSON, where a character may take six: both outputs must fit into one
 * message.
 */
const MAX_JSON = 1.75 * MAX_OUTPUT;

/** How long to wait for the output to end after all its processes have, in milliseconds. */
const OUTPUT_LIMIT_MS = 1000;

function findProgram(command: string, searchPath: string): string {
  const candidates = isAbsolute(command)
    ? [command]
    : searchPath.split(delimiter).map((folder) => join(folder, command));
  if (!isAbsolute(command) && command.includes("/")) {
    throw new BrokerError("invalid_input", `"${command}" must be a name or an absolute path`);
  }
  for (const candidate of candidates) {
    const found = Bun.which(candidate);
    if (found) return realpathSync(found);
  }
  throw new BrokerError("not_found", `command "${command}" not found`);
}

/**
 * Runs a permitted command, confined like the plugin that requested it. Processes that it started end with it,
 * since nothing would supervise them any more. If it is not confined, they are found by their process group and
 * an environment variable.
 */
export async function runCommand(
  command: string,
  args: string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const program = findProgram(command, options.searchPath);
  const mark = crypto.randomUUID();
  const child = spawnConfined({
    confined: options.confined,
    channel: false,
    plan: {
      program,
      argv: [command, ...args],
      env: { PATH: options.searchPath, ...options.env, [MARK]: mark },
      cwd: options.plugin.root,
      base: [...systemRules(), { path: program, rights: READ | EXECUTE }, ...codeRules(options.plugin)],
      layers: options.confined ? await fileLayers(options.permissions, options.maxFileRules) : [[]],
      proxySocket: options.proxySocket,
      children: true,
    },
  });
  const kill = () => child.kill("SIGKILL");
  const timer = setTimeout(kill, options.timeout);
  const unwatch = options.watch.watch({
    pid: child.pid,
    confined: options.confined,
    owner: options.owner,
    end(what) {
      options.note(`the command "${command}" was stopped: the worker's commands together ${what}`);
      kill();
    },
  });
  options.signal.addEventListener("abort", kill, { once: true });
  if (options.signal.aborted) kill();
  const stdout = new Output(child.stdout);
  const stderr = new Output(child.stderr);
  try {
    await child.exited;
    await endProcessTree(child.pid, `${MARK}=${mark}`);
    const [out, err] = await Promise.all([stdout.rest(), stderr.rest()]);
    return { code: child.exitCode, stdout: out, stderr: err };
  } finally {
    unwatch();
    clearTimeout(timer);
    options.signal.removeEventListener("abort", kill);
    child.stdin.end();
  }
}

/** The environment variable that marks a command's processes, so that orphans are found too. */
const MARK = "REEF_COMMAND_RUN";

/** The output of a command. Excess output is read and dropped; otherwise the command would block. */
class Output {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #read: Promise<void>;
  #text = "";

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.#read = this.#readAll();
  }

  async #readAll(): Promise<void> {
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      if (this.#text.length < MAX_OUTPUT) this.#text += decoder.decode(value, { stream: true });
    }
  }

  /** The complete output of a command that has ended. */
  async rest(): Promise<string> {
    await Promise.race([this.#read, Bun.sleep(OUTPUT_LIMIT_MS)]);
    void this.#reader.cancel();
    return fitting(this.#text.slice(0, MAX_OUTPUT));
  }
}

/** Truncates a text so that it fits into a message. */
function fitting(text: string): string {
  let kept = text;
  for (;;) {
    const size = JSON.stringify(kept).length;
    if (size <= MAX_JSON) return kept;
    kept = kept.slice(0, Math.floor((kept.length * MAX_JSON) / size));
  }
}
