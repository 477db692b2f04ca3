import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestHarness, type TestHarness } from "../../src/core/testing.js";
import { createTestAgent, type TestAgent } from "../../src/core/testing-agent.js";
import { createInstallerService } from "./module.js";
import { writeFiles } from "./testing/git-host.js";
import { type Instance, startInstance } from "./testing/instance.js";
import { sampleFiles } from "./testing/samples.js";
import { waitForJob } from "./tools.js";

const ground = mkdtempSync(join(tmpdir(), "reef-tools-"));
let reef: Instance;
let harness: TestHarness;
let agent: TestAgent;

beforeAll(async () => {
  reef = await startInstance();
  const module = createInstallerService();
  harness = await createTestHarness({ services: [{ name: "nothing" }] });
  const fetchReef = (url: string, init: RequestInit) => {
    const { pathname, search } = new URL(url);
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${reef.token}`);
    return fetch(reef.url + pathname + search, { ...init, headers });
  };
  agent = createTestAgent(harness, [module], { fetch: fetchReef });
});
afterAll(async () => {
  await harness.cleanup();
  await reef.close();
  rmSync(ground, { recursive: true, force: true });
});

describe("the tools", () => {
  test("install, list, update, roll back and remove", async () => {
    const source = join(ground, "greeter");
    writeFiles(source, sampleFiles("greeter", "1"));
    const installed = await agent.call("installer_install", { source, test: true });
    expect(installed.isError).toBeUndefined();
    expect(installed.details.result).toMatchObject({ name: "greeter", action: "installed" });
    const listed = await agent.call("installer_list");
    expect(listed.details.result).toMatchObject({ count: 1, installed: [{ dirName: "greeter" }] });
    expect((await agent.call("installer_update", { name: "greeter" })).details.result).toMatchObject({
      action: "updated",
    });
    expect((await agent.call("installer_rollback", { name: "greeter" })).content[0]?.text).toContain(
      "no earlier version",
    );
    expect((await agent.call("installer_remove", { name: "greeter" })).details.result).toMatchObject({
      action: "removed",
    });
  });

  test("say why something was not done", async () => {
    const failed = await agent.call("installer_install", { source: "--upload-pack=x" });
    expect(failed).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("like an option") }],
    });
    const missing = await agent.call("installer_install", { source: join(ground, "missing") });
    expect(missing).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining("no folder") }],
    });
  });

  test("say so where there is no control plane", async () => {
    const lonely = createTestAgent(harness, [createInstallerService()], { connected: false });
    expect([...lonely.tools.keys()].sort()).toEqual([
      "installer_install",
      "installer_list",
      "installer_remove",
      "installer_rollback",
      "installer_update",
    ]);
    expect(await lonely.call("installer_list")).toMatchObject({ isError: true });
    expect(await lonely.call("installer_remove", { name: "x" })).toMatchObject({ isError: true });
  });
});

describe("waiting for a job", () => {
  const job = { id: "1", status: "running" as const, steps: [] };
  const client = { api: async () => job as never };

  test("ends when its patience does", async () => {
    await expect(waitForJob(client, "1", { pollMs: 1, patienceMs: 0 })).rejects.toThrow("still running");
  });

  test("ends when it is told to", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(waitForJob(client, "1", { pollMs: 1, signal })).rejects.toThrow("enough");
  });
});
