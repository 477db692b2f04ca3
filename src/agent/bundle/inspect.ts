/** Tries a finished bundle in a process of its own before any agent has to. */
import { mkdtempSync, rmSync } from "node:fs";
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
    const child = Bun.spawn(
      [process.execPath, "--no-install", join(import.meta.dir, "inspect-child.ts"), file],
      {
        cwd: dir,
        env: { PATH: process.env.PATH, HOME: dir },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "ignore",
        timeout: LIMIT_MS,
        killSignal: "SIGKILL",
      },
    );
    const output = await new Response(child.stdout).text();
    await child.exited;
    return read(output);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function read(output: string): UnitReport[] {
  const reports = new Map<string, UnitReport>();
  let open: string | undefined;
  for (const line of output.split("\n").filter(Boolean)) {
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
