import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildExtension } from "../../src/agent/index.js";
import { type Runtime, runPi, runSession } from "./agents.js";
import { CONTROL_PLANES, type ControlPlane } from "./control-planes.js";
import { startModelServer } from "./model-server.js";

/** Waits for the control plane wherever an agent can be made to wait, and catches nothing. */
const CHATTY = `export default {
  name: "chatty",
  registerTools(pi, client) {
    pi.registerTool({ name: "chatty_say", label: "Say", description: "Says", parameters: {},
      async execute() {
        try { return client.ok(JSON.stringify((await client.api("GET", "/board/tasks")).tasks.length)); }
        catch (error) { return client.err(error.message); }
      } });
  },
  registerBehaviors(pi, client) {
    for (const event of ["session_start", "before_agent_start", "agent_start", "turn_start", "turn_end", "agent_end", "session_shutdown"]) {
      pi.on(event, async () => { await client.api("POST", "/feed/events", { event }); });
    }
    pi.on("agent_end", () => { void client.api("POST", "/feed/events", {}).then((event) => event.id.length); });
  },
  widget: { async getLines(client) { return (await client.api("GET", "/board/tasks")).tasks.map((task) => task.title); } },
};`;

let scratch: string;
let extension: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "reef-planes-"));
  mkdirSync(join(scratch, "chatty"));
  await Bun.write(join(scratch, "chatty", "index.ts"), CHATTY);
  const board = resolve(import.meta.dir, "..", "..", "examples", "services", "board");
  const { code } = await buildExtension([
    { name: "chatty", dir: join(scratch, "chatty") },
    { name: "board", dir: board },
  ]);
  extension = join(scratch, "extension.js");
  await Bun.write(extension, code);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const cases = Object.keys(CONTROL_PLANES).map((name, index): [string, Runtime] => [
  name,
  index % 2 ? "bun" : "node",
]);

test.each(cases)("a control plane that %s does not hold up a session on %s", async (name, runtime) => {
  const plane = await (CONTROL_PLANES[name] as () => Promise<ControlPlane>)();
  try {
    // A tool may wait as long as its call may take: the agent aborts the one that never gets an answer.
    const request = { extensions: [extension], calls: [{ name: "chatty_say" }], abortAfterMs: 1500 };
    const { report, stderr } = await runSession(runtime, request, { VERS_INFRA_URL: plane.url });
    expect(report.errors).toEqual([]);
    expect(report.results.map(({ isError }) => isError)).toEqual([true]);
    expect(report.bindMs).toBeLessThan(1000);
    expect(stderr).not.toContain("at ");
  } finally {
    await plane.stop();
  }
});

test.each<Runtime>(["node", "bun"])(
  "pi on %s ends by itself while the control plane hangs",
  async (runtime) => {
    const plane = await (CONTROL_PLANES["accepts and never answers"] as () => Promise<ControlPlane>)();
    const model = startModelServer({ name: "read", arguments: { path: "nothing" } });
    try {
      const { code, stdout } = await runPi(runtime, extension, model.url, { VERS_INFRA_URL: plane.url });
      expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: "All done." });
    } finally {
      await model.stop();
      await plane.stop();
    }
  },
);
