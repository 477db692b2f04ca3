/** The manager's tools in a server where nothing else has loaded what they are made with. */
import { afterAll, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { ReefProcess } from "../support/process.js";
import { Sandbox } from "../support/sandbox.js";

const sandbox = new Sandbox();
symlinkSync(resolve(import.meta.dir, "../../services/services"), join(sandbox.servicesDir, "services"));
const reef = new ReefProcess(sandbox);
afterAll(async () => {
  await reef.stop();
  sandbox.remove();
});

test("a server with the manager alone lists its tools", async () => {
  await reef.serving("services");
  const { tools, problems } = await (await reef.call("/services/tools")).json();
  expect(problems).toEqual([]);
  expect(tools.map(({ name }: { name: string }) => name)).toContain("services_deploy");
});
