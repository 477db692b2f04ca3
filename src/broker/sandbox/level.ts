import { join } from "node:path";
import type { ProbeResult } from "./policy.js";

/** How far this machine can hold a plugin to its permissions. */
export interface EnforcementLevel {
  /** `full`: files, network, children and environment by the operating system; `none`: by nobody. */
  level: "full" | "none";
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

const LAUNCHER = join(import.meta.dir, "launcher.ts");
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
  const probe = await runProbe();
  if (typeof probe === "string") return none(probe);
  if (probe.landlock === 0) return none("this kernel has no Landlock, or it is switched off");
  if (!probe.seccomp) return none("this kernel has no seccomp filters");
  if (!probe.netns) return none("a network of its own cannot be made for a process; that needs root here");
  return {
    level: "full",
    reason: `Landlock ${probe.landlock}, seccomp and a network namespace`,
    landlock: probe.landlock,
  };
}

function none(reason: string): EnforcementLevel {
  return { level: "none", reason, landlock: 0 };
}

async function runProbe(): Promise<ProbeResult | string> {
  const child = Bun.spawn([process.execPath, LAUNCHER, "--probe"], {
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
    return `the sandbox could not be tried out: ${errors.trim().slice(0, 300) || "no answer"}`;
  }
}
