import { afterEach, expect, test } from "bun:test";
import { createTestHarness } from "../../src/core/testing.js";
import type { ServiceModule } from "../../src/core/types.js";
import { Sandbox } from "../../tests/support/sandbox.js";
import { knownFolders } from "./folders.js";
import type { Installer } from "./installer.js";
import { JobRunner } from "./jobs/runner.js";
import { Jobs } from "./jobs.js";
import { createRoutes } from "./routes.js";

const sandbox = new Sandbox();
afterEach(() => sandbox.remove());

const failure = (code: string, message: string) => Object.assign(new Error(`${code}: ${message}`), { code });

test.each([
  ["a full disk", failure("ENOSPC", "no space left on device, mkdir"), 507, "no space left to store this"],
  [
    "what the server may not do",
    failure("EACCES", "permission denied, rename '/services/greeter'"),
    503,
    "the server lacks permission on this machine: EACCES: permission denied, rename '/services/greeter'",
  ],
])(
  "%s is answered with a reason, before a job begins and while it runs",
  async (_what, error, status, reason) => {
    let runner: JobRunner;
    const folders = knownFolders(sandbox.dataDir, sandbox.servicesDir);
    const options = { action: "update", dirName: "greeter", source: "ada/greeter" } as const;
    const current = () => {
      return {
        update: () => runner.begin(options, folders, () => Promise.reject(error)),
        rollback: () => {
          throw error;
        },
      } as unknown as Installer;
    };
    const service: ServiceModule = {
      name: "installing",
      routes: createRoutes(current),
      init(ctx) {
        runner = new JobRunner(new Jobs(ctx), 60_000, ctx.log);
      },
    };
    const t = await createTestHarness({ services: [service] });
    for (const path of ["/installing/update", "/installing/rollback"]) {
      const reply = await t.json(path, { method: "POST", auth: true, body: { name: "greeter" } });
      expect([path, reply.status, reply.data.error]).toEqual([path, status, reason]);
    }
    const { job, result } = current().update({ name: "greeter" });
    await expect(result).rejects.toThrow(error.message);
    expect(job).toMatchObject({ status: "failed", errorStatus: status });
    await t.cleanup();
  },
);
