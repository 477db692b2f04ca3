/** What the test runner writes down at its end: a JUnit report, which tests cannot add to by what they print. */
import { readFileSync } from "node:fs";
import { systemErrorCode } from "../../../src/core/storage-error.js";

export interface TestReport {
  tests: number;
  failures: number;
  skipped: number;
  /** The names of those that failed, each after those of its groups. */
  failed: string[];
}

/** The report at `path`; undefined when the runner did not come to its end. */
export function readReport(path: string): TestReport | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  const root = /<testsuites [^>]*>/.exec(text)?.[0] ?? "";
  const count = (name: string) => Number(attribute(root, name) ?? 0);
  return {
    tests: count("tests"),
    failures: count("failures"),
    skipped: count("skipped"),
    failed: failedIn(text),
  };
}

/** The report escapes `<` and `>` wherever they are not its own. */
const TAG = /<(\/?)(testsuite|testcase|failure)\b[^>]*>/g;

function failedIn(report: string): string[] {
  const failed: string[] = [];
  /** The file and the groups in it. */
  const suites: string[] = [];
  let test = "";
  for (const [tag, end, element] of report.matchAll(TAG)) {
    if (element === "testcase") test = attribute(tag, "name") ?? "";
    else if (element === "failure" && !end) failed.push([...suites.slice(1), test].join(" > "));
    else if (element === "testsuite" && end) suites.pop();
    else if (element === "testsuite" && !tag.endsWith("/>")) suites.push(attribute(tag, "name") ?? "");
  }
  return failed;
}

const NAMED: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** The value of an attribute, on one line. */
function attribute(tag: string, name: string): string | undefined {
  return new RegExp(` ${name}="([^"]*)"`)
    .exec(tag)?.[1]
    ?.replace(/&(?:#(\d+)|(\w+));/g, (all, code?: string, entity = "") =>
      code ? String.fromCodePoint(Number(code)) : (NAMED[entity] ?? all),
    )
    .replace(/\s+/g, " ");
}
