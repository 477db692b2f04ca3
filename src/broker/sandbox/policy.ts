/** The plan that the sandbox launcher executes. */
import type { FileRule } from "./landlock.js";

/** What the launcher needs to confine itself and execute a program; one line of JSON on its stdin. */
export interface LaunchPlan {
  /** The real path of the program. */
  program: string;
  /** The arguments, beginning with the name by which the program is called, since some programs depend on it. */
  argv: [string, ...string[]];
  /** The complete environment; nothing is inherited. */
  env: Record<string, string>;
  cwd: string;
  /** Granted in every layer: what the program needs to run. */
  base: FileRule[];
  /** One layer per allow list; an access must be granted by all. At least one. */
  layers: FileRule[][];
  /** The socket file of the host's proxy; null denies all network access. */
  proxySocket: string | null;
  /** Whether it may start child processes. It then leads a process group that ends with the server. */
  children: boolean;
  /** The script that relays connections from the network namespace to the proxy. */
  relay: string;
}

/** Tells the launcher that it already runs in a new network namespace. */
export const IN_NAMESPACE = "--in-namespace";

/** The result of a probe. */
export interface ProbeResult {
  landlock: number;
  seccomp: boolean;
  netns: boolean;
}
