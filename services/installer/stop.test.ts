import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReefProcess } from "../../tests/support/process.js";
import { eventually, Sandbox } from "../../tests/support/sandbox.js";
import { writeFiles } from "./testing/git-host.js";
import { startInstance } from "./testing/instance.js";
import { sampleFiles } from "./testing/samples.js";

const sandbox = new Sandbox();
let reef: ReefProcess | undefined;
afterEach(async () => {
  await reef?.stop("SIGKILL");
  sandbox.remove();
});

test("an installation that waits for its source when the server is stopped ends at once and says why", async () => {
  let asked = false;
  const silent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () => {
      asked = true;
      return new Promise<Response>(() => undefined);
    },
  });
  symlinkSync(import.meta.dir, join(sandbox.servicesDir, "installer"));
  // Only a hang reaches these limits.
  const env = { REEF_DRAIN_TIMEOUT: "600000", REEF_INSTALL_TIMEOUT: "3600000" };
  reef = await new ReefProcess(sandbox, { env }).serving("installer");
  const body = JSON.stringify({ from: silent.url.href, name: "greeter" });
  const installing = reef.call("/installer/install", { method: "POST", body });
  await eventually(() => asked, "the request for the source");
  const stopping = reef.stop();
  const reply = await installing;
  expect([reply.status, await reply.json()]).toEqual([
    503,
    { error: "the server is shutting down.", step: "source", code: "SHUTTING_DOWN" },
  ]);
  expect(await stopping).toBe(0);
  expect(readdirSync(join(sandbox.dataDir, ".reef/installer/staging"))).toEqual([]);
  await silent.stop(true);
});

test("a removal does not wait for a change of the installer, which waits for the removal", async () => {
  const source = mkdtempSync(join(tmpdir(), "reef-stop-"));
  const dispose = "dispose: () => new Promise((resolve) => { globalThis.__letGo = resolve; }),";
  writeFiles(source, sampleFiles("greeter", "1", dispose));
  const instance = await startInstance();
  expect((await instance.install({ source, link: false, dirName: "greeter" })).status).toBe(201);
  const removing = instance.post("/installer/remove", { name: "greeter" });
  const letGo = await eventually(() => (globalThis as { __letGo?: () => void }).__letGo);
  const ending = instance.reef.ctx.registry.unload("installer");
  await Bun.sleep(0);
  letGo();
  expect((await removing).status).toBe(200);
  await ending;
  await instance.close();
  rmSync(source, { recursive: true });
});
