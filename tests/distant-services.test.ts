/** A services folder that is nowhere near the checkout, and has no `node_modules` above it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join, resolve } from "node:path";
import { ReefProcess } from "./support/process.js";
import { Sandbox } from "./support/sandbox.js";

const own = resolve(import.meta.dir, "..", "services");
let sandbox: Sandbox;
let reef: ReefProcess;
beforeAll(async () => {
  sandbox = new Sandbox({
    // There is such a package, but nobody has installed it.
    "typo/index.ts": 'import "is-odd"; export default { name: "typo" };',
  });
  for (const name of ["services", "log"]) {
    cpSync(join(own, name), join(sandbox.servicesDir, name), { recursive: true, dereference: true });
  }
  reef = await new ReefProcess(sandbox).serving("services", "log");
});
afterAll(async () => {
  await reef.stop("SIGKILL");
  sandbox.remove();
});

test("what is imported there and not installed is not fetched", async () => {
  const { skipped } = (await (await reef.call("/health")).json()) as { skipped: unknown[] };
  expect(skipped).toMatchObject([
    { name: "typo", code: "IMPORT_FAILED", error: expect.stringContaining("Cannot find package 'is-odd'") },
  ]);
});

test("a service there is deployed with its tests, by a copy of the manager", async () => {
  const body = JSON.stringify({ name: "log" });
  const reply = await reef.call("/services/deploy", { method: "POST", body });
  expect(await reply.json()).toMatchObject({
    deployed: true,
    steps: [{}, { step: "test", status: "passed" }, {}, {}],
  });
});
