/** Detects what this machine can enforce. */
import { launcherCommand, useUserNamespace } from "./launcher-command.js";
import type { ProbeResult } from "./policy.js";

/** How far this machine can enforce permissions. */
export interface EnforcementLevel {
  /**
   * `full`: files, network, child processes and environment are enforced by the operating system; `partial`:
   * the same, but network access can only be denied altogether; `none`: nothing is enforced.
   */
  level: "full" | "partial" | "none";
  /** What enforces it, or why nothing does. */
  reason: string;
  /** The Landlock version; 0 without Landlock. */
  landlock: number;
}

/** What to do with plugins that cannot be confined. */
export type EnforcementMode =
  /** Refuse all plugins that are not confined. */
  | "required"
  /** Refuse plugins that declare scoped permissions (default). */
  | "scoped"
  /** Run all plugins unconfined, even where confinement would work. */
  | "off";

const PROBE_TIMEOUT = 10_000;

let detected: Promise<EnforcementLevel> | undefined;

/** Determines what this machine can enforce, once per process. */
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
