import type { FileRule } from "./landlock.js";

/** Everything the launcher needs to confine a process and become it. One line of JSON on its stdin. */
export interface LaunchPlan {
  /** The program, a real path. */
  program: string;
  /** What it is told: the name by which it is called, by which some tell what they are to do, and its arguments. */
  argv: [string, ...string[]];
  /** The whole environment: nothing is inherited. */
  env: Record<string, string>;
  cwd: string;
  /** Granted in every layer: what the program itself needs to run. */
  base: FileRule[];
  /** One layer per allow list of the permissions; an access must be granted by all. At least one. */
  layers: FileRule[][];
  /** The socket file of the host's allow-list proxy, or null for no network at all. */
  proxySocket: string | null;
  /** Whether it may start other processes. It leads a process group then, which ends with the server. */
  children: boolean;
  /** The script that carries bytes from inside the network namespace to the proxy. */
  relay: string;
}

/** Tells the launcher that it runs in a network namespace already. */
export const IN_NAMESPACE = "--in-namespace";

/** What the launcher found on this machine. */
export interface ProbeResult {
  landlock: number;
  seccomp: boolean;
  netns: boolean;
}
