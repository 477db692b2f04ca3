/** Starts confined processes. */
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LoadedPlugin } from "../manifest.js";
import { EXECUTE, type FileRule, READ, WRITE } from "./landlock.js";
import { BUN, launcherCommand } from "./launcher-command.js";
import type { LaunchPlan } from "./policy.js";

const RELAY = join(import.meta.dir, "relay.ts");
/** The broker's own code, part of which the worker reads. */
const OWN_CODE = dirname(import.meta.dir);

/** Required by Bun and ordinary programs. */
const SYSTEM_RULES: readonly (readonly [path: string, rights: number])[] = [
  ["/lib", READ | EXECUTE],
  ["/lib32", READ | EXECUTE],
  ["/lib64", READ | EXECUTE],
  ["/usr/lib", READ | EXECUTE],
  ["/usr/lib64", READ | EXECUTE],
  ["/etc/ld.so.cache", READ],
  ["/etc/localtime", READ],
  ["/usr/share/zoneinfo", READ],
  ["/etc/ssl/certs", READ],
  ["/usr/share/ca-certificates", READ],
  ["/sys/devices/system/cpu/online", READ],
  ["/dev/null", READ | WRITE],
  ["/dev/zero", READ],
  ["/dev/random", READ],
  ["/dev/urandom", READ],
];

let system: FileRule[] | undefined;

/** The rules of all confined programs. */
export function systemRules(): FileRule[] {
  system ??= SYSTEM_RULES.flatMap(([path, rights]) => {
    try {
      return [{ path: realpathSync(path), rights }];
    } catch {
      return [];
    }
  });
  return system;
}

/** The rules of workers: also Bun, the broker's code and the plugin's own. */
export function workerRules(plugin: LoadedPlugin): FileRule[] {
  return [
    ...systemRules(),
    { path: BUN, rights: READ | EXECUTE },
    { path: realpathSync(OWN_CODE), rights: READ },
    ...codeRules(plugin),
  ];
}

/** The rules for a plugin's code copy and its folder, to which the copy links. */
export function codeRules({ code, root }: LoadedPlugin): FileRule[] {
  return [code.path, root].map((path) => ({ path, rights: READ }));
}

/** How a process is started. */
export interface SpawnOptions {
  plan: Omit<LaunchPlan, "relay">;
  confined: boolean;
  /** Whether descriptor 3 is a socket to the broker. */
  channel: boolean;
}

/** A process with piped standard streams. */
export type ConfinedProcess = Bun.Subprocess<"pipe", "pipe", "pipe">;

/**
 * Starts a program, confined by the launcher if `confined`. It gets no input: stdin belongs to the launcher,
 * whose relay lives as long as it is open.
 */
export function spawnConfined({ plan, confined, channel }: SpawnOptions): ConfinedProcess {
  const extra = channel ? (["socket-fd"] as const) : [];
  const [name, ...args] = plan.argv;
  const child = Bun.spawn(confined ? launcherCommand() : [plan.program, ...args], {
    ...(confined ? {} : { argv0: name }),
    stdio: ["pipe", "pipe", "pipe", ...extra],
    env: confined ? {} : plan.env,
    cwd: confined ? import.meta.dir : plan.cwd,
    // Its own process group: signals of the server's terminal do not reach it, and a command's processes are
    // found by it.
    detached: true,
  }) as ConfinedProcess;
  if (confined) {
    child.stdin.write(`${JSON.stringify({ ...plan, relay: RELAY } satisfies LaunchPlan)}\n`);
    void child.stdin.flush();
  } else child.stdin.end();
  return child;
}
