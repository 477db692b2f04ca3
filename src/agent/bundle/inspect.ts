/** Tries a finished bundle in a process of its own before any agent has to. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endProcessTree } from "../../core/process-tree.js";
import { clearAbandoned, makeTemporary } from "../../core/temporary-folders.js";
import type { Progress, UnitReport } from "./runtime/inspect.js";

const WORD = "reef-inspect";
const LIMIT_MS = 10_000;

let clearing: Promise<void> | undefined;

/** Removes, once, what processes left that were killed while they tried a bundle. Never rejects. */
export function clearInspections(): Promise<void> {
  clearing ??= clearAbandoned(WORD, console);
  return clearing;
}

/**
 * What each service of the bundle turned out to be. One that never came to an end is reported as such. Nothing that
 * was started is left when this settles; `signal` ends it early.
 */
export async function inspectBundle(code: string, signal?: AbortSignal): Promise<UnitReport[]> {
  signal?.throwIfAborted();
  const dir = await makeTemporary(WORD, process.pid);
  try {
    const told = await tried(code, dir, signal);
    signal?.throwIfAborted();
    return read(told);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Evaluates the bundle in a child process that works below `dir`; what it has told about its services. */
async function tried(code: string, dir: string, signal: AbortSignal | undefined): Promise<string> {
  const bundle = join(dir, "extension.mjs");
  writeFileSync(bundle, code);
  // A file of its own: whatever services print, and write where they work, is no report.
  const told = join(dir, "told.jsonl");
  writeFileSync(told, "");
  const work = join(dir, "work");
  mkdirSync(work);
  const script = join(import.meta.dir, "inspect-child.ts");
  const child = Bun.spawn([process.execPath, "--no-install", "--no-orphans", script, bundle, told], {
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
  return readFileSync(told, "utf8");
}

/** A last line without an end was cut off, with the process that wrote it. */
function read(told: string): UnitReport[] {
  const reports = new Map<string, UnitReport>();
  let open: string | undefined;
  for (const line of told.split("\n").slice(0, -1)) {
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

/** A service may have two units: its own client half, and the tools that it provides for others. */
function merged(before: UnitReport | undefined, report: UnitReport): UnitReport {
  const tools = [...(before?.tools ?? []), ...(report.tools ?? [])];
  const failures = [...(before?.failures ?? []), ...(report.failures ?? [])];
  return { ...before, ...report, tools, failures };
}
