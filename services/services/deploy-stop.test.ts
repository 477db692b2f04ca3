import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ReefProcess } from "../../tests/support/process.js";
import { answering, eventually, Sandbox } from "../../tests/support/sandbox.js";

const sandbox = new Sandbox();
let reef: ReefProcess;
afterEach(async () => {
  await reef.stop("SIGKILL");
  sandbox.remove();
});

test("a deploy whose tests run when the server is stopped ends at once, says why and leaves nothing behind", async () => {
  const tmp = join(sandbox.root, "tmp");
  const begun = join(sandbox.root, "begun");
  mkdirSync(tmp);
  symlinkSync(import.meta.dir, join(sandbox.servicesDir, "services"));
  sandbox.services({
    "slow/index.ts": answering("slow", "old"),
    "slow/x.test.ts": `import { test } from "bun:test";
      import { writeFileSync } from "node:fs";
      test("never ends", async () => { writeFileSync(${JSON.stringify(begun)}, ""); await new Promise(() => setInterval(() => {}, 1000)); });`,
  });
  // Only a hang reaches these limits.
  const env = { TMPDIR: tmp, REEF_DRAIN_TIMEOUT: "600000", REEF_TEST_TIMEOUT: "3600000" };
  reef = await new ReefProcess(sandbox, { env }).serving("services", "slow");
  const deploying = reef.call("/services/deploy", { method: "POST", body: JSON.stringify({ name: "slow" }) });
  await eventually(() => existsSync(begun), "the test");
  const stopping = reef.stop();
  const reply = await deploying;
  const report = (await reply.json()) as { deployed: boolean; error: string };
  expect([reply.status, report.deployed, report.error]).toEqual([
    503,
    false,
    "test: the server is shutting down.",
  ]);
  expect(await stopping).toBe(0);
  expect(readdirSync(tmp)).toEqual([]);
});
