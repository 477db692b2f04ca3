import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { Sandbox } from "../../tests/support/sandbox.js";
import { writeFiles } from "./testing/git-host.js";
import { type Instance, startInstance } from "./testing/instance.js";
import { sampleFiles } from "./testing/samples.js";

const sandbox = new Sandbox();
let reef: Instance;
afterEach(() => reef.close());

test("an installation that cannot be kept over a restart goes on, and says so at once", async () => {
  const source = join(sandbox.root, "source", "greeter");
  writeFiles(source, sampleFiles("greeter", "1"));
  sandbox.write("data/.reef/jobs", "in the way");
  reef = await startInstance({}, sandbox);
  const { status, data } = await reef.install({ source, background: true });
  expect([status, data.warning]).toEqual([
    202,
    expect.stringContaining("this will be lost when the server restarts"),
  ]);
  let job = data;
  while (job.status === "running") job = (await reef.request("GET", `/installer/jobs/${data.id}`)).data;
  expect([job.status, job.result.name]).toEqual(["done", "greeter"]);
});
