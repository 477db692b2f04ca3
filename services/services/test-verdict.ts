/** What came of a test run: its exit, the runner's summary and its output in one verdict. */
import { readFileSync } from "node:fs";
import type { TestOutput } from "./test-output.js";

export interface TestVerdict {
  status: "passed" | "failed" | "skipped";
  /** What was run and what came of it; of a failure, with the end of the output. */
  detail: string;
}

/** How the test process ended. */
export interface Exit {
  code: number | null;
  signal: string | number | null;
}

interface Summary {
  tests: number;
  failures: number;
  skipped: number;
}

/** As much of the output as fits a report, in characters. */
const SHOWN = 4000;

export function failedWith(what: string, output: TestOutput): TestVerdict {
  const text = output.text().trim();
  const end = text.length > SHOWN ? `… ${text.slice(-SHOWN)}` : text;
  return { status: "failed", detail: end === "" ? what : `${what}\n${end}` };
}

/** The verdict on a run that ended by itself. `summaryPath` is where the runner writes its JUnit report at the end. */
export function verdictOn(exit: Exit, summaryPath: string, output: TestOutput): TestVerdict {
  const summary = readSummary(summaryPath);
  if (exit.code !== 0) return failedWith(whatFailed(exit, summary, output.text()), output);
  const nothingRan = "no test was run: the test files hold none, or all of them are skipped";
  if (!summary) {
    // Without any test the runner writes no report.
    if (/^Ran 0 tests /m.test(output.text())) return failedWith(nothingRan, output);
    return failedWith("the test process ended itself before its tests were through (exit code 0)", output);
  }
  const ran = summary.tests - summary.skipped;
  if (ran <= 0) return failedWith(nothingRan, output);
  const skipped = summary.skipped > 0 ? `, ${summary.skipped} skipped` : "";
  return { status: "passed", detail: `${ran} ${ran === 1 ? "test" : "tests"} passed${skipped}` };
}

/** What the runner has written when it came to its end; undefined when it did not. */
function readSummary(path: string): Summary | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const root = /<testsuites [^>]*>/.exec(text)?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(root)?.[1] ?? 0);
  return { tests: count("tests"), failures: count("failures"), skipped: count("skipped") };
}

function whatFailed({ code, signal }: Exit, summary: Summary | undefined, output: string): string {
  const names = [...output.matchAll(/^\(fail\) (.+?)(?: \[[\d.]+m?s\])?$/gm)].map(([, name]) => name);
  const rest = names.length > 5 ? ` and ${names.length - 5} more` : "";
  const which = names.length > 0 ? `: ${names.slice(0, 5).join("; ")}${rest}` : "";
  if (summary && summary.failures > 0) {
    return `${summary.failures} of ${summary.tests} tests failed${which}`;
  }
  return `the test run ended with ${code === null ? `signal ${signal}` : `exit code ${code}`}${which}`;
}
