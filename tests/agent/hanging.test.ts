import { afterAll, expect, test } from "bun:test";
import { buildExtension } from "../../src/agent/index.js";
import { Sandbox } from "../support/sandbox.js";
import { type Runtime, runSession } from "./agents.js";

const hanging = `const hangs = () => new Promise(() => {});
  const endSoon = (ctx) => setTimeout(() => ctx.abort(), 20);
  export default { name: "hanging", registerTools(pi, client) {
    const tool = (name, execute) => pi.registerTool({ name, label: name, description: name, parameters: {}, execute });
    tool("hanging_deaf", (_id, _params, _signal, _onUpdate, ctx) => { endSoon(ctx); return hangs(); });
    tool("hanging_judged", async () => client.ok("it was done"));
  }, registerBehaviors(pi) {
    pi.on("tool_call", ({ toolName }, ctx) => {
      if (toolName !== "hanging_judged") return undefined;
      endSoon(ctx);
      return hangs();
    });
  } };`;

const sandbox = new Sandbox({ "hanging/index.ts": hanging });
const sources = [{ name: "hanging", dir: `${sandbox.servicesDir}/hanging` }];
const extension = sandbox.write("extension.js", (await buildExtension(sources)).code);
afterAll(() => sandbox.remove());

test.each<[Runtime, string]>([
  ["node", "hanging_deaf"],
  ["bun", "hanging_deaf"],
  ["node", "hanging_judged"],
  ["bun", "hanging_judged"],
])("on %s, an abort ends what hangs in %s", async (runtime, name) => {
  const request = { extensions: [extension], calls: [{ name }] };
  const { report } = await runSession(runtime, request);
  expect(report.results).toEqual([{ name, isError: true, text: "aborted" }]);
});
