import { launcherCommand, useUserNamespace } from "./launcher-command.js";
import type { ProbeResult } from "./policy.js";

/** How far this machine can hold a plugin to its permissions. */
export interface EnforcementLevel {
  /**
   * `full`: files, network, children and environment by the operating system; `partial`: the same,
   * but a network can only be refused, not granted for some hosts; `none`: by nobody.
   */
  level: "full" | "partial" | "none";
  /** What does it, or why nothing does. */
  reason: string;
  /** The version of Landlock, 0 without it. */
  landlock: number;
}

/** What the operator wants where a machine cannot enforce. */
export type EnforcementMode =
  /** Refuse every plugin that is not confined. */
  | "required"
  /** Refuse plugins that declare scoped permissions (the default). */
  | "scoped"
  /** Run everything unconfined, even where confinement would work. */
  | "off";

const PROBE_TIMEOUT = 10_000;

let detected: Promise<EnforcementLevel> | undefined;

/** Tries out, once, what this machine can enforce. */
export function detectEnforcement(): Promise<EnforcementLevel> {
  detected ??= detect();
  return detected;
}

async function detect(): Promise<EnforcementLevel> {
  if (process.platform !== "linux") return none(`there is no sandbox for ${process.platform}`);
  if (process.arch !== "x64" && process.arch !== "arm64")
    return none(`there is no sandbox for ${process.arch}`);
  let probe = await runProbe();
  if (typeof probe === "string") return none(probe);
  const { landlock } = probe;
  if (landlock === 0) return none("this kernel has no Landlock, or it is disabled");
  if (!probe.seccomp) return none("this kernel has no seccomp filters");
  if (!probe.netns && useUserNamespace()) {
    probe = await runProbe();
    if (typeof probe === "string" || !probe.netns) useUserNamespace(false);
  }
  const network = typeof probe !== "string" && probe.netns;
  return {
    level: network ? "full" : "partial",
    reason: `Landlock ${landlock}, seccomp and ${network ? "a network namespace" : "no network: a network namespace cannot be created"}`,
    landlock,
  };
}

function none(reason: string): EnforcementLevel {
  return { level: "none", reason, landlock: 0 };
}

async function runProbe(): Promise<ProbeResult | string> {
  const child = Bun.spawn([...launcherCommand(), "--probe"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {},
    timeout: PROBE_TIMEOUT,
  });
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  try {
    return JSON.parse(out) as ProbeResult;
  } catch {
    return `the sandbox test failed: ${errors.trim().slice(0, 300) || "no answer"}`;
  }
}
