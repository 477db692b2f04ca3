import { afterAll, beforeEach, expect, test } from "bun:test";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Sandbox } from "../tests/support/sandbox.js";

const root = resolve(import.meta.dir, "..");
const sandbox = new Sandbox();
afterAll(() => sandbox.remove());
const at = (...path: string[]) => join(sandbox.root, ...path);

const VERSION = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).dependencies.bun;
const RUNS = `#!/bin/sh\necho ${VERSION}\n`;
const BROKEN = "not for this machine";

function program(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

/**
 * An npx whose Bun installs a Bun that is `bun`, with an `install.js` that does `script`. What is there it leaves, and
 * it fails where there is only the package that the program was moved out of.
 */
function offer(bun: string, script = ""): void {
  writeFileSync(at("bun"), bun);
  writeFileSync(at("install.js"), script);
  program(
    at("path", "npx"),
    `#!/bin/sh
echo "$@" >> npx-calls
mkdir -p node_modules/.bin
ln -sf ../bun/bin/bun.exe node_modules/.bin/bun
[ -e node_modules/bun ] && exit 0
[ -e node_modules/@oven ] && exit 1
mkdir -p node_modules/bun/bin node_modules/@oven
cp bun node_modules/bun/bin/bun.exe && chmod +x node_modules/bun/bin/bun.exe
cp install.js node_modules/bun/install.js
`,
  );
}

beforeEach(() => {
  for (const name of ["node_modules", "npx-calls"]) rmSync(at(name), { recursive: true, force: true });
  for (const name of ["package.json", "bun.lock", "scripts/setup.mjs", "scripts/chromium.mjs"]) {
    cpSync(join(root, name), at(name), { recursive: true });
  }
});

function setUp(): { code: number; output: string; calls: number } {
  const { exitCode, stderr } = Bun.spawnSync(
    [Bun.which("node") as string, at("scripts/setup.mjs"), "production"],
    {
      cwd: sandbox.root,
      env: { PATH: `${at("path")}:${process.env.PATH}` },
      stderr: "pipe",
    },
  );
  const calls = existsSync(at("npx-calls"))
    ? readFileSync(at("npx-calls"), "utf8").trim().split("\n").length
    : 0;
  return { code: exitCode, output: stderr.toString(), calls };
}

test("installs once, and again when what is to be installed has changed", () => {
  offer(RUNS);
  expect(setUp()).toMatchObject({ code: 0, calls: 1 });
  expect(setUp()).toMatchObject({ code: 0, calls: 1, output: "" });
  writeFileSync(at("bun.lock"), "another");
  expect(setUp()).toMatchObject({ code: 0, calls: 2 });
});

test("a Bun that does not run here, of another machine or half copied, gives way to one that does", () => {
  offer(RUNS);
  setUp();
  program(at("node_modules/bun/bin/bun.exe"), BROKEN);
  expect(setUp()).toMatchObject({ code: 0, calls: 2 });
  expect(setUp()).toMatchObject({ code: 0, calls: 2, output: "" });
});

test("where npm runs no scripts, Bun's own is run", () => {
  offer(
    BROKEN,
    `import { copyFileSync } from "node:fs"; copyFileSync("../../bun-that-runs", "bin/bun.exe");`,
  );
  program(at("bun-that-runs"), RUNS);
  expect(setUp()).toMatchObject({ code: 0, calls: 1 });
  expect(readFileSync(at("npx-calls"), "utf8")).toContain("--ignore-scripts=false");
});

test("says so when Bun does not run in the end, and tries again the next time", () => {
  offer(BROKEN);
  const { code, output } = setUp();
  expect(code).toBe(1);
  expect(output).toContain(`Bun ${VERSION} was installed but does not run`);
  expect(setUp()).toMatchObject({ code: 1, calls: 2 });
});
