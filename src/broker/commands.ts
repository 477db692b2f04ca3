import { realpathSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { CommandResult } from "./client.js";
import { BrokerError } from "./errors.js";
import type { PluginManifest } from "./manifest.js";
import type { Permissions } from "./permissions/set.js";
import { EXECUTE, READ } from "./sandbox/landlock.js";
import { fileLayers } from "./sandbox/layers.js";
import { spawnConfined, systemRules } from "./sandbox/spawn.js";

/** What a permitted command runs under. */
export interface CommandOptions {
  plugin: PluginManifest;
  permissions: Permissions;
  env: Record<string, string>;
  proxySocket: string | null;
  confined: boolean;
  /** The search path for names without a slash. */
  searchPath: string;
  /** Milliseconds. */
  timeout: number;
  signal: AbortSignal;
  maxFileRules: number;
}

const MAX_OUTPUT = 1024 * 1024;

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
  throw new BrokerError("not_found", `there is no command "${command}" here`);
}

/** Runs a command that the permissions allow, confined like the plugin that asked for it. */
export async function runCommand(
  command: string,
  args: string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const program = findProgram(command, options.searchPath);
  const child = spawnConfined({
    confined: options.confined,
    channel: false,
    plan: {
      argv: [program, ...args],
      env: { PATH: options.searchPath, ...options.env },
      cwd: options.plugin.root,
      base: [
        ...systemRules(),
        { path: program, rights: READ | EXECUTE },
        { path: options.plugin.root, rights: READ },
      ],
      layers: options.confined ? await fileLayers(options.permissions, options.maxFileRules) : [[]],
      proxySocket: options.proxySocket,
      children: true,
    },
  });
  const kill = () => child.kill("SIGKILL");
  const timer = setTimeout(kill, options.timeout);
  options.signal.addEventListener("abort", kill, { once: true });
  if (options.signal.aborted) kill();
  try {
    const [stdout, stderr] = await Promise.all([collect(child.stdout), collect(child.stderr), child.exited]);
    return { code: child.exitCode, stdout, stderr };
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", kill);
    child.stdin.end();
  }
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    if (text.length < MAX_OUTPUT) text += decoder.decode(chunk, { stream: true });
  }
  return text.slice(0, MAX_OUTPUT);
}
