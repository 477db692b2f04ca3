/** What came of a test run: its exit, the runner's report and its output in one verdict. */
import type { TestOutput } from "./output.js";
import { readReport, type TestReport } from "./report.js";

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

/** As much of the output as fits a report, in characters. */
const SHOWN = 4000;

export function failedWith(what: string, output: TestOutput): TestVerdict {
  const text = output.text().trim();
  const end = text.length > SHOWN ? `… ${text.slice(-SHOWN)}` : text;
  return { status: "failed", detail: end === "" ? what : `${what}\n${end}` };
}

/** The verdict on a run that ended by itself. `reportPath` is where the runner writes its JUnit report at the end. */
export function verdictOn(exit: Exit, reportPath: string, output: TestOutput): TestVerdict {
  const report = readReport(reportPath);
  if (exit.code !== 0) return failedWith(whatFailed(exit, report, output.text()), output);
  const nothingRan = "no tests ran: the test files contain none, or all are skipped";
  if (!report) {
    // Without any test the runner writes no report.
    if (/^Ran 0 tests /m.test(output.text())) return failedWith(nothingRan, output);
    return failedWith("the test process exited before its tests finished (exit code 0)", output);
  }
  const ran = report.tests - report.skipped;
  if (ran <= 0) return failedWith(nothingRan, output);
  const skipped = report.skipped > 0 ? `, ${report.skipped} skipped` : "";
  return { status: "passed", detail: `${ran} ${ran === 1 ? "test" : "tests"} passed${skipped}` };
}

/** Tests that are named when they failed. */
const NAMED = 5;

function whatFailed({ code, signal }: Exit, report: TestReport | undefined, output: string): string {
  if (report && report.failures > 0) {
    return `${report.failures} of ${report.tests} tests failed${named(report.failed)}`;
  }
  // Without its report all there is to go by is what was printed.
  const printed = output.matchAll(/^\(fail\) (.+?)(?: \[[\d.]+m?s\])?$/gm);
  const names = [...new Set(Array.from(printed, ([, name = ""]) => name))];
  return `the test run ended with ${code === null ? `signal ${signal}` : `exit code ${code}`}${named(names)}`;
}

function named(names: string[]): string {
  if (names.length === 0) return "";
  const rest = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `: ${names.slice(0, NAMED).join("; ")}${rest}`;
}
