import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lives } from "../tests/support/process.js";
import { eventually } from "../tests/support/sandbox.js";
import { countsOf, runTests } from "./test-run.js";

const folder = mkdtempSync(join(tmpdir(), "reef-test-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FOR_EVER = `[process.execPath, "-e", "setInterval(() => undefined, 1000)"]`;
const PATIENT = { limitMs: 20_000, graceMs: 20_000, show: () => undefined };

const run = (script: string, limits: Partial<typeof PATIENT> = {}) =>
  runTests([process.execPath, "-e", script], folder, { ...PATIENT, ...limits });

function pidIn(output: string): number {
  expect(Number(output)).toBeGreaterThan(0);
  return Number(output);
}

/** What has been killed may still take a moment to be gone. */
const gone = (pid: number) => eventually(() => !lives(pid), `the end of process ${pid}`, 3000);

test("a run's exit code and what it reported are handed on", async () => {
  const script = `console.error("what\\nit says"); process.exit(7)`;
  expect(await run(script)).toEqual({ code: 7, output: "what\nit says\n", left: 0 });
});

test("what a run leaves running, its pipes in hand, is ended, counted and not waited for", async () => {
  const script = `const child = Bun.spawn(${FOR_EVER}, { stdio: ["ignore", "inherit", "inherit"], detached: true });
    child.unref(); console.error(child.pid);`;
  const { code, output, left } = await run(script, { graceMs: 0 });
  expect({ code, left }).toEqual({ code: 0, left: 1 });
  await gone(pidIn(output));
});

test("what ends soon after a run was not left by it", async () => {
  const script = `Bun.spawn([process.execPath, "-e", "await Bun.sleep(100)"], { stderr: "inherit" }).unref();`;
  expect(await run(script)).toEqual({ code: 0, output: "", left: 0 });
});

test("a run that does not end is cut off, with what it has started", async () => {
  const script = `const child = Bun.spawn(${FOR_EVER}, { detached: true });
    console.error(child.pid); await child.exited;`;
  const { code, output } = await run(script, { limitMs: 500 });
  expect(code).toBeNull();
  await gone(pidIn(output));
});

test("what cannot be found of a run, its pipes in hand, does not hold up the result", async () => {
  const script = `const child = Bun.spawn(${FOR_EVER}, { stdio: ["ignore", "inherit", "inherit"], detached: true, env: {} });
    child.unref(); console.error(child.pid);`;
  const { code, output } = await run(script);
  expect(code).toBe(0);
  expect(lives(pidIn(output))).toBe(true);
  process.kill(pidIn(output), "SIGKILL");
});

test("what a run that is cut off has started is ended, marked or not", async () => {
  const script = `const child = Bun.spawn(${FOR_EVER}, { detached: true, env: {}, stderr: "inherit" });
    console.error(child.pid); await child.exited;`;
  const { code, output } = await run(script, { limitMs: 500 });
  expect(code).toBeNull();
  await gone(pidIn(output));
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("a run that is interrupted by %s ends with all that it has started", async (signal, expected) => {
  const inner = `const child = Bun.spawn(${FOR_EVER}, { detached: true });
    console.error(child.pid); await child.exited;`;
  const outer = `import { runTests } from ${JSON.stringify(join(import.meta.dir, "test-run.ts"))};
    await runTests([process.execPath, "-e", ${JSON.stringify(inner)}], ".", { limitMs: 60_000, graceMs: 0 });`;
  const child = Bun.spawn([process.execPath, "-e", outer], { stdout: "ignore", stderr: "pipe" });
  const { value } = await child.stderr.getReader().read();
  child.kill(signal);
  expect(await child.exited).toBe(expected);
  await gone(pidIn(new TextDecoder().decode(value)));
});

test("tests are counted by Bun's own summary, whatever they print themselves", async () => {
  const file = join(folder, "sample.test.ts");
  await Bun.write(
    file,
    `import { test } from "bun:test";
    test("a", () => console.error(" 30 pass\\n 10 fail\\nRan 40 tests across 4 files. [1.00ms]"));
    test("b", () => undefined);
    test("c", () => { throw new Error("no"); });
    test.skip("d", () => undefined);`,
  );
  const { code, output } = await runTests([process.execPath, "test", file], folder, PATIENT);
  expect({ code, ...countsOf(output) }).toEqual({ code: 1, pass: 2, fail: 1, skip: 1 });
});

test.each([
  ["followed by what was left", " 2 pass\n 0 fail\nRan 2 tests across 1 file. [1.00ms]\nreef: bye\n"],
  [
    "with snapshots",
    " 2 pass\n 0 fail\nsnapshots: +1 added\n 1 expect() calls\nRan 2 tests across 1 file. [1.00ms]\n",
  ],
  [
    "in colours",
    "\u001b[0m\u001b[32m 2 pass\u001b[0m\n\u001b[0m\u001b[2m 0 fail\u001b[0m\nRan 2 tests across 1 file. [1.00ms]\n",
  ],
])("the summary counts %s", (_what, output) => {
  expect(countsOf(output)).toEqual({ pass: 2, fail: 0, skip: 0 });
});

test("a run without a summary has no tests", () => {
  expect(countsOf(" 3 pass\n 0 fail\n")).toEqual({ pass: 0, fail: 0, skip: 0 });
});
