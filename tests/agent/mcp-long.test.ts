/** Tools that take longer than clients of MCP wait for a result. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { createMcp, ToolCatalog } from "../../src/agent/index.js";
import { AUTHORIZED } from "../support/managed.js";
import { eventually } from "../support/sandbox.js";
import { startReef, type TestReef } from "./reef.js";

let reef: TestReef;
let client: Client;
beforeAll(async () => {
  reef = await startReef(["services/services"]);
});
afterAll(() => reef.stop());

const MODERN = { versionNegotiation: { mode: "auto" as const } };

const ID = /reef_wait_for_call with \{"id":"([^"]+)"\}/;

describe.each([
  ["of the protocol before 2026", {}],
  ["of the present protocol", MODERN],
])("a client %s", (_what, options) => {
  beforeAll(async () => {
    const { ctx } = reef.server;
    // The one that the agent service makes answers after as long as clients wait.
    const mcp = createMcp({ host: ctx, catalog: new ToolCatalog(ctx), version: "1", answerAfterMs: 100 });
    client = new Client({ name: "impatient", version: "1" }, options);
    const requestInit = { headers: AUTHORIZED };
    const fetch = async (url: string | URL | Request, init?: RequestInit) =>
      mcp.fetch(new Request(url, init));
    await client.connect(
      new StreamableHTTPClientTransport(new URL("http://reef.test/mcp"), { requestInit, fetch }),
    );
  });
  afterAll(() => client.close());

  const call = async (name: string, given: Record<string, unknown> = {}) => {
    const result = (await client.callTool({ name, arguments: given })) as unknown as {
      content: Array<{ text: string }>;
      isError?: boolean;
    };
    return { isError: result.isError === true, text: result.content.map(({ text }) => text).join("\n") };
  };

  /** A service whose tests last until `gate` is there. */
  const slowly = (gate: string, verdict: string) => ({
    "slow/index.ts": `import { Hono } from "hono"; export default { name: "slow", routes: new Hono() };`,
    "slow/slow.test.ts": `import { existsSync } from "node:fs"; import { test } from "bun:test";
    test("waits", async () => { while (!existsSync(${JSON.stringify(gate)})) await Bun.sleep(5); ${verdict} }, 60_000);`,
  });

  test.each([
    ["passes", "", false, '"deployed": true'],
    ["fails", `throw new Error("the sum is wrong");`, true, "the sum is wrong"],
  ])("what came of a deploy with long tests is told: it %s", async (_what, verdict, isError, expected) => {
    const gate = join(reef.servicesDir, `gate-${Bun.randomUUIDv7()}`);
    await reef.write(slowly(gate, verdict));
    const first = await call("services_deploy", { name: "slow" });
    expect(first).toEqual({ isError: false, text: expect.stringContaining("still running") });
    const id = ID.exec(first.text)?.[1] ?? "";
    expect((await call("reef_wait_for_call", { id })).text).toMatch(ID);
    await Bun.write(gate, "");
    let last = await call("reef_wait_for_call", { id });
    await eventually(async () => {
      last = await call("reef_wait_for_call", { id });
      return !ID.test(last.text);
    }, "the end of the deploy");
    expect(last).toEqual({ isError, text: expect.stringContaining(expected) });
  });

  test("the tool to wait with is listed, is reached through reef_call_tool too, and says what it does not know", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain("reef_wait_for_call");
    const unknown = { isError: true, text: expect.stringContaining('there is no call with the id "x"') };
    expect(await call("reef_wait_for_call", { id: "x" })).toEqual(unknown);
    expect(await call("reef_call_tool", { name: "reef_wait_for_call", arguments: { id: "x" } })).toEqual(
      unknown,
    );
    expect(await call("reef_wait_for_call")).toEqual({
      isError: true,
      text: expect.stringContaining("requires the id"),
    });
  });
});

test("a call goes on when the service that answers clients is exchanged", async () => {
  const front = `import { Hono } from "hono"; import { createMcp, ToolCatalog } from "../../src/agent/index.js";
    let mcp;
    export default { name: "front", routes: new Hono().post("/mcp", (c) => mcp.fetch(c.req.raw)), init(ctx) {
      mcp = createMcp({ host: ctx, catalog: new ToolCatalog(ctx), version: "1", answerAfterMs: 100 });
    } };`;
  const gate = `let open; const gate = new Promise((resolve) => { open = resolve; });
    export default { name: "gate", init: (ctx) => void ctx.events.on("open", () => open("was opened")),
      registerTools: (pi, client) => pi.registerTool({ name: "gate_wait", label: "", description: "Waits", parameters: {},
        execute: async () => client.ok(await gate) }) };`;
  await reef.write({ "front/index.ts": front, "gate/index.ts": gate });
  const { registry, events } = reef.server.ctx;
  await registry.sync();
  const call = async (name: string, given: object = {}) => {
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: given } };
    const init = { method: "POST", headers, body: JSON.stringify(message) };
    const reply = await (await reef.fetch("/front/mcp", init)).text();
    return JSON.parse(reply.slice(reply.indexOf("{"))).result.content[0].text as string;
  };
  const id = ID.exec(await call("gate_wait"))?.[1];
  await reef.write({ "front/index.ts": `${front} // Another version.` });
  const { results } = await registry.sync();
  expect(results).toEqual([{ name: "front", action: "updated" }]);
  await eventually(
    () => reef.server.registry.table.get("front")?.draining.size === 0,
    "the end of the one before",
  );
  expect(await call("reef_wait_for_call", { id })).toMatch(ID);
  await events.emit("open", 0);
  await eventually(async () => (await call("reef_wait_for_call", { id })) === "was opened", "the result");
  const record = join(reef.server.ctx.dataDir, ".reef", "jobs", "calls", `${id}.json`);
  expect(JSON.parse(readFileSync(record, "utf8")).status).toBe("done");
});
