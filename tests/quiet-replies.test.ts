/** Replies that take longer than a quiet connection lasts. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Listening, startListening } from "./support/listening.js";
import { eventually, Sandbox } from "./support/sandbox.js";

const sandbox = new Sandbox();
/** What waits goes on while this file is there. */
const gate = join(sandbox.root, "gate");
const begun = join(sandbox.root, "begun-");

const service = (name: string, init = "") => `
  import { existsSync, writeFileSync } from "node:fs";
  import { Hono } from "hono";
  const wait = async (what) => {
    writeFileSync(${JSON.stringify(begun)} + what, "");
    while (!existsSync(${JSON.stringify(gate)})) await Bun.sleep(10);
    return what;
  };
  const routes = new Hono();
  routes.post("/", async (c) => c.text(await wait("${name}")));
  export default { name: "${name}", routes, ${init}
    registerTools(pi, client) {
      pi.registerTool({ name: "${name}_wait", label: "Wait", description: "Waits", parameters: {},
        execute: async () => client.ok(await wait("tool")) });
    } };`;

let reef: Listening;
beforeAll(async () => {
  writeFileSync(gate, "");
  sandbox.services({
    "quiet/index.ts": service("quiet"),
    "off/index.ts": service("off"),
    "on/index.ts": service("on"),
    "slow/index.ts": service("slow", 'init: () => wait("init"),'),
  });
  const env = { REEF_IDLE_TIMEOUT: "1", REEF_INIT_TIMEOUT: "600000" };
  reef = await startListening({ sandbox, links: ["services/agent", "services/services"], env });
  expect((await post("/services/disable/off")).status).toBe(200);
});
afterAll(() => reef.end());

/** Without a body a request is as quiet as its reply. */
const post = (path: string) => reef.fetch(path, { method: "POST", keepalive: false });

test("changes and tools that take their time are answered, where other connections are cut off", async () => {
  rmSync(gate);
  rmSync(`${begun}init`);
  const calling = reef.fetch("/mcp", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "quiet_wait", arguments: {} },
    }),
  });
  const changes = ["reload/slow", "reload", "disable/on", "enable/off"].map(async (change) => {
    const { status } = await post(`/services/${change}`);
    return `${change}: ${status}`;
  });
  const called = calling.then((reply) => reply.text());
  const replies = Promise.all([called, ...changes].map((reply) => reply.catch(String)));
  await eventually(() => existsSync(`${begun}tool`) && existsSync(`${begun}init`), "the work");
  await expect(post("/quiet")).rejects.toThrow("closed");
  writeFileSync(gate, "");
  expect(await replies).toEqual([
    expect.stringContaining('"text":"tool"'),
    "reload/slow: 200",
    "reload: 200",
    "disable/on: 200",
    "enable/off: 200",
  ]);
}, 60_000);
