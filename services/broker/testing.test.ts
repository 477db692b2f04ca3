import { afterAll, expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { testPreload } from "../../src/core/preloads.js";
import { Sandbox } from "../../tests/support/sandbox.js";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

test("the tests of the example plugins run where they were copied to", async () => {
  cpSync(join(import.meta.dir, "../../examples/plugins"), sandbox.servicesDir, { recursive: true });
  const child = Bun.spawn([process.execPath, "test", "--preload", testPreload, sandbox.servicesDir], {
    cwd: sandbox.root,
    stdout: "ignore",
    stderr: "pipe",
  });
  const [output, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  expect(output).toMatch(/^ 0 fail$/m);
  expect(output).toContain("across 2 files");
  expect(code).toBe(0);
});
