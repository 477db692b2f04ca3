/** Tries a finished bundle in a child process before any agent loads it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endProcessTree } from "../../core/process-tree.js";
import { clearAbandoned, makeTemporary } from "../../core/temporary-folders.js";
import type { Progress, UnitReport } from "./runtime/inspect.js";

const PREFIX = "reef-inspect";
const LIMIT_MS = 10_000;

let clearing: Promise<void> | undefined;

/** Removes, once per process, leftovers of killed processes. Never rejects. */
export function clearInspections(): Promise<void> {
  clearing ??= clearAbandoned(PREFIX, console);
  return clearing;
}

/**
 * Reports what each service of a bundle registers. A service that never finished is reported as failed. All
 * processes have ended when this settles; `signal` aborts it.
 */
export async function inspectBundle(code: string, signal?: AbortSignal): Promise<UnitReport[]> {
  signal?.throwIfAborted();
  const dir = await makeTemporary(PREFIX, process.pid);
  try {
    const report = await evaluate(code, dir, signal);
    signal?.throwIfAborted();
    return read(report);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Evaluates the bundle in a child process and returns its report file. */
async function evaluate(code: string, dir: string, signal: AbortSignal | undefined): Promise<string> {
  const bundle = join(dir, "extension.mjs");
  writeFileSync(bundle, code);
  // A separate file, since services may print, and write to their working directory.
  const report = join(dir, "report.jsonl");
  writeFileSync(report, "");
  const work = join(dir, "work");
  mkdirSync(work);
  const script = join(import.meta.dir, "inspect-child.ts");
  const child = Bun.spawn([process.execPath, "--no-install", "--no-orphans", script, bundle, report], {
    cwd: work,
    env: { PATH: process.env.PATH, HOME: work },
    detached: true,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
    signal,
  });
  await child.exited;
  await endProcessTree(child.pid);
  return readFileSync(report, "utf8");
}

/** Parses a report file. An incomplete last line is ignored. */
function read(report: string): UnitReport[] {
  const reports = new Map<string, UnitReport>();
  let open: string | undefined;
  for (const line of report.split("\n").slice(0, -1)) {
    const progress = JSON.parse(line) as Progress;
    if ("begin" in progress) open = progress.begin;
    else {
      reports.set(progress.unit, merged(reports.get(progress.unit), progress));
      open = undefined;
    }
  }
  if (open !== undefined) {
    reports.set(open, { unit: open, error: "it ended or blocked the process that checked it" });
  }
  return [...reports.values()];
}

/** Merges the reports of a service's two units: its client half, and the tools that it provides for others. */
function merged(before: UnitReport | undefined, report: UnitReport): UnitReport {
  const tools = [...(before?.tools ?? []), ...(report.tools ?? [])];
  const failures = [...(before?.failures ?? []), ...(report.failures ?? [])];
  return { ...before, ...report, tools, failures };
}
