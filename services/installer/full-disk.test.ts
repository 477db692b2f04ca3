import { afterEach, expect, test } from "bun:test";
import { createTestHarness } from "../../src/core/testing.js";
import type { ServiceModule } from "../../src/core/types.js";
import { Sandbox } from "../../tests/support/sandbox.js";
import { knownFolders } from "./folders.js";
import type { Installer } from "./installer.js";
import { JobRunner } from "./job-runner.js";
import { Jobs } from "./jobs.js";
import { createRoutes } from "./routes.js";

const sandbox = new Sandbox();
afterEach(() => sandbox.remove());

const full = () => Object.assign(new Error("ENOSPC: no space left on device, mkdir"), { code: "ENOSPC" });

test("a full disk is answered with 507, before a job begins and while it runs", async () => {
  let runner: JobRunner;
  const folders = knownFolders(sandbox.dataDir, sandbox.servicesDir);
  const options = { action: "update", dirName: "greeter", source: "ada/greeter" } as const;
  const current = () => {
    return {
      update: () => runner.begin(options, folders, () => Promise.reject(full())),
      rollback: () => {
        throw full();
      },
    } as unknown as Installer;
  };
  const service: ServiceModule = {
    name: "installing",
    routes: createRoutes(current),
    init({ events, log }) {
      runner = new JobRunner(new Jobs(events), 60_000, log);
    },
  };
  const t = await createTestHarness({ services: [service] });
  for (const path of ["/installing/update", "/installing/rollback"]) {
    const { status, data } = await t.json(path, { method: "POST", auth: true, body: { name: "greeter" } });
    expect([path, status, data.error]).toEqual([path, 507, "no space left to store this"]);
  }
  const { job, result } = current().update({ name: "greeter" });
  await expect(result).rejects.toThrow("ENOSPC");
  expect(job).toMatchObject({ status: "failed", errorStatus: 507 });
  await t.cleanup();
});
