import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lives } from "../../tests/support/process.js";
import { eventually } from "../../tests/support/sandbox.js";
import { runTests } from "./test-run.js";

let root: string;
const never = new AbortController().signal;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "reef-test-run-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
function folder(files: Record<string, string>): string {
  const dir = join(root, `service-${++folders}`);
  mkdirSync(dir);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

const run = (source: string, timeoutMs = 20_000, signal = never) =>
  runTests({ dir: folder({ "x.test.ts": source }), timeoutMs, signal });

/** Source that starts a process which would outlive its parent, and notes its id. */
const forking = (file: string, detached: boolean) => `
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
const child = spawn("sleep", ["600"], { detached: ${detached}, stdio: "inherit" });
child.unref();
writeFileSync(${JSON.stringify(file)}, String(child.pid));
`;

const pidIn = (file: string) => Number(readFileSync(file, "utf8"));

describe("a test run", () => {
  test("passes when all tests pass, and counts them", async () => {
    const verdict = await run(`
      import { expect, test } from "bun:test";
      test("a", () => expect(1).toBe(1));
      test("b", () => expect(2).toBe(2));
      test.skip("c", () => {});`);
    expect(verdict).toEqual({ status: "passed", detail: "2 tests passed, 1 skipped" });
  });

  test("fails with the names of the tests that failed and what they printed", async () => {
    const { status, detail } = await run(`
      import { expect, test } from "bun:test";
      test("adds up", () => { console.log("so far"); expect(1 + 1).toBe(3); });
      test("is fine", () => {});`);
    expect(status).toBe("failed");
    expect(detail).toStartWith("1 of 2 tests failed: adds up");
    expect(detail).toContain("so far");
    expect(detail).toContain("Expected: 3");
  });

  test("names each test that failed once, with its group, and none that a test makes up", async () => {
    const { detail } = await run(`
      import { describe, expect, test } from "bun:test";
      for (let n = 0; n < 40; n++) test("t" + n, () => {
        console.log("(fail) made up");
        if (n < 5) throw new Error("no");
      });
      describe("<a> & 'b'", () => describe("in > it", () => test('"c"\\nd [3.00ms]', () => expect(1).toBe(2))));`);
    const [first] = detail.split("\n");
    expect(first).toBe(`6 of 41 tests failed: t0; t1; t2; t3; t4 and 1 more`);
    const alone = await run(`
      import { describe, expect, test } from "bun:test";
      describe("<a> & 'b'", () => describe("in > it", () => test('"c"\\nd [3.00ms]', () => expect(1).toBe(2))));
      describe("other", () => test("fine", () => {}));
      test("late", () => new Promise(() => {}), 10);`);
    expect(alone.detail.split("\n")[0]).toBe(
      `2 of 3 tests failed: <a> & 'b' > in > it > "c" d [3.00ms]; late`,
    );
  });

  test("takes every file that `bun test` takes for a test, modules of either kind", async () => {
    const imported =
      'import { test } from "bun:test"; import { Hono } from "hono"; test("a", () => new Hono());';
    const required = 'const { test } = require("bun:test"); test("b", () => {}); module.exports = {};';
    const dir = folder({
      "x.test.mts": imported,
      "x_spec.tsx": imported,
      "X.Test.ts": imported,
      "y.test.js": required,
      "y_test.cjs": required,
    });
    const verdict = await runTests({ dir, timeoutMs: 20_000, signal: never });
    expect(verdict).toEqual({ status: "passed", detail: "5 tests passed" });
  });

  test("is skipped for a folder without tests", async () => {
    const dir = folder({ "index.ts": "" });
    const verdict = await runTests({ dir, timeoutMs: 1000, signal: never });
    expect(verdict.status).toBe("skipped");
  });

  test("fails when the test file cannot be imported", async () => {
    const { status, detail } = await run(`throw new Error("not today");`);
    expect(status).toBe("failed");
    expect(detail).toContain("not today");
  });

  test.each([
    ["a test file that ends the process with 0", "process.exit(0)", "exited before its tests finished"],
    [
      "a test that ends the process with 0",
      `import { test } from "bun:test"; test("a", () => {}); test("b", () => process.exit(0));`,
      "exited before its tests finished",
    ],
    ["a file without tests", "export {}", "no tests ran"],
    [
      "only skipped tests",
      `import { test } from "bun:test"; test.skip("a", () => {}); test.todo("b");`,
      "no tests ran",
    ],
  ])("does not pass %s", async (_name, source, reason) => {
    const { status, detail } = await run(source);
    expect(status).toBe("failed");
    expect(detail).toContain(reason);
  });

  test.each([
    ["a loop that never ends", `test("loop", () => { for (;;); });`],
    ["a promise that never settles", `test("wait", () => new Promise(() => {}), 600_000);`],
    ["an import that never ends", `await new Promise((resolve) => setTimeout(resolve, 600_000));`],
  ])("is ended at its limit: %s", async (_name, source) => {
    const { status, detail } = await run(`import { test } from "bun:test";\n${source}`, 700);
    expect(status).toBe("failed");
    expect(detail).toStartWith("the tests did not finish within 700 ms (REEF_TEST_TIMEOUT)");
  });

  for (const detached of [false, true]) {
    const how = detached ? "in a session of their own" : "in its group";
    test(`leaves no processes ${how} when it passes`, async () => {
      const file = join(root, `passes-${detached}.pid`);
      const verdict = await run(
        `${forking(file, detached)} import { test } from "bun:test"; test("a", () => {});`,
      );
      expect(verdict.status).toBe("passed");
      expect(lives(pidIn(file))).toBe(false);
    });

    test(`leaves no processes ${how} when it is ended at its limit`, async () => {
      const file = join(root, `hangs-${detached}.pid`);
      const verdict = await run(`${forking(file, detached)} for (;;);`, 3000);
      expect(verdict.detail).toContain("did not finish");
      expect(lives(pidIn(file))).toBe(false);
    });
  }

  test("finds a process whose parents are gone and that left the group", async () => {
    const file = join(root, "orphan.pid");
    const inner = `const c = require("node:child_process").spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
      c.unref(); require("node:fs").writeFileSync(${JSON.stringify(file)}, String(c.pid)); process.exit(0);`;
    const verdict = await run(
      `import { spawnSync } from "node:child_process";
       spawnSync(process.execPath, ["-e", ${JSON.stringify(inner)}], { env: process.env });
       for (;;);`,
      4000,
    );
    expect(verdict.detail).toContain("did not finish");
    expect(lives(pidIn(file))).toBe(false);
  });

  test("takes 100 MB of output and keeps its end", async () => {
    const { status, detail } = await run(
      `import { expect, test } from "bun:test";
       import { writeSync } from "node:fs";
       const line = "x".repeat(1024 * 1024);
       test("loud", () => {
         for (let n = 0; n < 100; n++) writeSync(1 + (n % 2), line);
         expect("loud").toBe("quiet");
       });`,
    );
    expect(status).toBe("failed");
    expect(detail).toStartWith("1 of 1 tests failed: loud");
    expect(detail).toContain('Expected: "quiet"');
    expect(detail.length).toBeLessThan(5000);
  });

  test("happens in scratch folders without the server's token and leaves nothing behind", async () => {
    const file = join(root, "seen.json");
    process.env.VERS_AUTH_TOKEN = "secret";
    const verdict = await run(`
      import { test } from "bun:test";
      import { writeFileSync } from "node:fs";
      test("a", () => {
        writeFileSync("data/items.json", "[]");
        const { VERS_AUTH_TOKEN: token, REEF_DATA_DIR: data, TMPDIR: scratch } = process.env;
        writeFileSync(${JSON.stringify(file)}, JSON.stringify({ token, data, scratch, cwd: process.cwd() }));
      });`);
    delete process.env.VERS_AUTH_TOKEN;
    expect(verdict.status).toBe("passed");
    const seen = JSON.parse(readFileSync(file, "utf8"));
    expect(seen.token).toBeUndefined();
    expect(seen.data).toBe(join(seen.cwd, "data"));
    expect(seen.cwd).toStartWith(`${seen.scratch}/`);
    expect(existsSync(seen.scratch)).toBe(false);
  });

  test("ends when the signal says so", async () => {
    const controller = new AbortController();
    const running = run("for (;;);", 60_000, controller.signal);
    const ended = running.catch((error) => error);
    await Bun.sleep(300);
    controller.abort(new Error("no more"));
    expect(await ended).toMatchObject({ message: "no more" });
  });
});

test("a run whose keeper is killed fails, and nothing of it is left", async () => {
  const file = join(root, "kept-pids");
  const running = run(`
    import { writeFileSync } from "node:fs";
    writeFileSync(${JSON.stringify(file)}, process.ppid + " " + process.pid + "\\n");
    for (;;);`).then(
    () => "it passed",
    (error) => String(error),
  );
  await eventually(() => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"));
  const [keeper, tests] = readFileSync(file, "utf8").trim().split(" ").map(Number) as [number, number];
  process.kill(keeper, "SIGKILL");
  expect(await running).toContain("the test process ended (signal SIGKILL)");
  // What has been killed may take a moment to be gone.
  await eventually(() => !lives(tests));
  expect((await run(`import { test } from "bun:test"; test("a", () => {});`)).status).toBe("passed");
});
