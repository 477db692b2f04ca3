/** The project's whole check: lint, types, tests. The last line counts what passed and failed. */
import { join } from "node:path";
import { countsOf, runTests } from "./test-run.js";

const root = join(import.meta.dir, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);

/** How long all tests together may take, in milliseconds. */
const TEST_LIMIT_MS = 15 * 60_000;

/** The files named on the command line, else all. Links are left out: the examples are linked into services/. */
function testFiles(): string[] {
  const named = process.argv.slice(2);
  if (named.length > 0) return named;
  const folders = ["src", "services", "examples", "tests", "scripts", "bench"];
  const found = folders.flatMap((folder) => [
    ...new Bun.Glob(`${folder}/**/*.test.ts`).scanSync({ cwd: root }),
  ]);
  return found.sort().map((file) => `./${file}`);
}

let passed = 0;
let failed = 0;

for (const [name, command] of [
  ["lint", [bin("biome"), "check", "--error-on-warnings", "."]],
  ["types", [bin("tsc"), "--noEmit"]],
] as const) {
  const code = await Bun.spawn([...command], { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).exited;
  console.log(`${name}: ${code === 0 ? "ok" : "failed"}`);
  if (code === 0) passed++;
  else failed++;
}

// Not with --isolate: it remembers sources by their path, and tests of reloading would see the first version for ever.
const { code, output, left } = await runTests(
  [process.execPath, "test", "--timeout", "20000", ...testFiles()],
  root,
  { limitMs: TEST_LIMIT_MS, graceMs: 10_000 },
);
const counts = countsOf(output);
passed += counts.pass;
failed += counts.fail;
const skipped = counts.skip;

if (code === null) {
  console.log(`tests: did not finish within ${TEST_LIMIT_MS / 60_000} minutes and were stopped`);
  failed++;
} else if (code !== 0 && counts.fail === 0) {
  console.log(`tests: ended with exit code ${code} without naming a failure`);
  failed++;
}
if (left > 0) {
  console.log(`tests: left ${left} processes running, which were stopped`);
  failed++;
}
if (counts.pass === 0) {
  console.log("tests: no tests ran");
  failed++;
}
if (process.env.CI === "true" && skipped > 0) {
  console.log(`tests: ${skipped} skipped, which counts as a failure`);
  failed += skipped;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
