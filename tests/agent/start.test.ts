/** What agents get while the server starts. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readConfig } from "../../src/core/config.js";
import { type RunningServer, startServer } from "../../src/core/server.js";
import { AUTHORIZED } from "../support/managed.js";
import { Sandbox, TOKEN } from "../support/sandbox.js";

const sandbox = new Sandbox();
/** The slow service starts once this file is there. */
const gate = join(sandbox.root, "gate");

let reef: RunningServer;
beforeAll(async () => {
  sandbox.services({
    "quick/index.ts": `export default { name: "quick", registerTools(pi, client) {
      pi.registerTool({ name: "quick_work", label: "", description: "", parameters: {},
        execute: async () => client.ok("worked") }); } };`,
    "slow/index.ts": `import { existsSync } from "node:fs";
      export default { name: "slow",
        async init() { while (!existsSync(${JSON.stringify(gate)})) await Bun.sleep(5); },
        registerTools(pi, client) {
          pi.registerTool({ name: "slow_work", label: "", description: "", parameters: {},
            execute: async () => client.ok("worked") }); } };`,
  });
  const { servicesDir, dataDir } = sandbox;
  symlinkSync(resolve(import.meta.dir, "../../services/agent"), join(servicesDir, "agent"));
  const config = readConfig({ REEF_INIT_TIMEOUT: "60000" });
  reef = await startServer({ servicesDir, dataDir, config, port: 0, authToken: TOKEN, patienceMs: 500 });
});
afterAll(async () => {
  await reef.stop();
  sandbox.remove();
});

const post = (path: string, body: object) =>
  fetch(reef.url + path, {
    method: "POST",
    headers: {
      ...AUTHORIZED,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify(body),
  });

test("whoever comes then gets the tools of those that are still being started, too", async () => {
  const get = (path: string) => fetch(reef.url + path, { headers: AUTHORIZED });
  const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  const asked = [
    get("/extension.js"),
    post("/mcp", list),
    post("/extension/call", { name: "slow_work" }),
    get("/extension"),
  ];
  const replies = Promise.all(asked.map(async (reply) => (await reply).text()));
  // Tools that are there are not held up; and there has been time for those.
  expect(await (await post("/extension/call", { name: "quick_work" })).text()).toContain("worked");
  expect(reef.liveModules.has("slow")).toBe(false);
  writeFileSync(gate, "");
  const [extension, tools, called, report] = await replies;
  expect(extension).toContain("Services: quick, slow.");
  expect(tools).toContain('"slow_work"');
  expect(called).toContain("worked");
  expect(JSON.parse(report ?? "").services).toEqual(["quick", "slow"]);
});
