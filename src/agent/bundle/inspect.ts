/** Tries a finished bundle in a process of its own before any agent has to. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Progress, UnitReport } from "./runtime/inspect.js";

const LIMIT_MS = 10_000;

/** What each service of the bundle turned out to be. One that never came to an end is reported as such. */
export async function inspectBundle(code: string): Promise<UnitReport[]> {
  const dir = mkdtempSync(join(tmpdir(), "reef-inspect-"));
  try {
    const file = join(dir, "extension.mjs");
    await Bun.write(file, code);
    // A file of its own: whatever services print, and write where they work, is no report.
    const told = join(dir, "told.jsonl");
    writeFileSync(told, "");
    const work = join(dir, "work");
    mkdirSync(work);
    const child = Bun.spawn(
      [process.execPath, "--no-install", join(import.meta.dir, "inspect-child.ts"), file, told],
      {
        cwd: work,
        env: { PATH: process.env.PATH, HOME: work },
        stdin: "ignore",
        stdout: "ignore",
        stderr: "ignore",
        timeout: LIMIT_MS,
        killSignal: "SIGKILL",
      },
    );
    await child.exited;
    return read(readFileSync(told, "utf8"));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
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
    reports.set(open, { unit: open, error: "it ended or blocked the process that tried it" });
  }
  return [...reports.values()];
}

/** A service may have two units: its own client half, and the tools that it provides for others. */
function merged(before: UnitReport | undefined, report: UnitReport): UnitReport {
  const tools = [...(before?.tools ?? []), ...(report.tools ?? [])];
  const failures = [...(before?.failures ?? []), ...(report.failures ?? [])];
  return { ...before, ...report, tools, failures };
}
