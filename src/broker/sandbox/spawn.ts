import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LoadedPlugin } from "../manifest.js";
import { EXECUTE, type FileRule, READ, WRITE } from "./landlock.js";
import { BUN, launcherCommand } from "./launcher-command.js";
import type { LaunchPlan } from "./policy.js";

const RELAY = join(import.meta.dir, "relay.ts");
/** The broker's own code, of which the worker reads a part. */
const OWN_CODE = dirname(import.meta.dir);

/** Without these, neither Bun nor an ordinary program starts. */
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

/** What every confined program may read. */
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

/** What a worker needs on top: Bun, the broker's code and the plugin's own. */
export function workerRules(plugin: LoadedPlugin): FileRule[] {
  return [
    ...systemRules(),
    { path: BUN, rights: READ | EXECUTE },
    { path: realpathSync(OWN_CODE), rights: READ },
    ...codeRules(plugin),
  ];
}

/** A plugin may read its code and its folder, where what is no code is linked to. */
export function codeRules({ code, root }: LoadedPlugin): FileRule[] {
  return [code.path, root].map((path) => ({ path, rights: READ }));
}

/** How a process is started: with a plan it is confined, without it is not. */
export interface SpawnOptions {
  plan: Omit<LaunchPlan, "relay">;
  confined: boolean;
  /** Whether descriptor 3 is a socket to us. */
  channel: boolean;
}

/** A program with its pipes. */
export type ConfinedProcess = Bun.Subprocess<"pipe", "pipe", "pipe">;

/**
 * Starts a program, confined by the launcher unless told otherwise. It has nothing to read: stdin is for the launcher,
 * whose relay lives as long as that is open.
 */
export function spawnConfined({ plan, confined, channel }: SpawnOptions): ConfinedProcess {
  const extra = channel ? (["socket-fd"] as const) : [];
  const [name, ...args] = plan.argv;
  const child = Bun.spawn(confined ? launcherCommand() : [plan.program, ...args], {
    ...(confined ? {} : { argv0: name }),
    stdio: ["pipe", "pipe", "pipe", ...extra],
    env: confined ? {} : plan.env,
    cwd: confined ? import.meta.dir : plan.cwd,
    // A group of its own: signals from the server's terminal are the server's, and what a command starts is found by it.
    detached: true,
  }) as ConfinedProcess;
  if (confined) {
    child.stdin.write(`${JSON.stringify({ ...plan, relay: RELAY } satisfies LaunchPlan)}\n`);
    void child.stdin.flush();
  } else child.stdin.end();
  return child;
}
