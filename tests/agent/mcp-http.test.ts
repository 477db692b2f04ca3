/** What clients of MCP send and get that use no library for it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { routeDocs } from "../../services/agent/docs.js";
import type { Json } from "../../src/core/types.js";
import { AUTHORIZED } from "../support/managed.js";
import { eventually } from "../support/sandbox.js";
import { probeService } from "./probe-service.js";
import { startReef, type TestReef } from "./reef.js";

const BOTH = "application/json, text/event-stream";

let reef: TestReef;
beforeAll(async () => {
  reef = await startReef(["services/agent"], { "probe/index.ts": probeService(1) });
});
afterAll(() => reef.stop());

const post = (
  method: string,
  params: object,
  headers: Record<string, string> = {},
  signal: AbortSignal | null = null,
) =>
  reef.fetch("/mcp", {
    method: "POST",
    headers: { "content-type": "application/json", accept: BOTH, ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal,
  });

/** The JSON-RPC message of a reply, which is an event where the server prefers that. */
async function message(response: Response): Promise<Json> {
  const text = await response.text();
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text);
}

const called = async (name: string, given: object, headers: Record<string, string> = {}) => {
  const { result } = await message(await post("tools/call", { name, arguments: given }, headers));
  return result.content[0].text;
};

test.each([
  ["ada", "ada"],
  ["J%C3%BCrgen", "Jürgen"],
  ["100%", "100%"],
])("a caller that sends the name %s is known as %s", async (sent, name) => {
  const header = { "x-reef-agent-name": sent };
  expect(await called("probe_version", { count: 1 }, header)).toBe(`version 1 probe_version 1 ${name}`);
});

test("a caller without a name is known as mcp", async () => {
  expect(await called("probe_version", { count: 1 })).toBe("version 1 probe_version 1 mcp");
});

test.each([
  "*/*",
  "application/json, */*;q=0.1",
  "application/*, text/*",
  "Application/JSON,TEXT/event-stream",
])("a client that accepts %s is answered", async (accept) => {
  const response = await post("tools/list", {}, { accept });
  expect(response.status).toBe(200);
  const { result } = await message(response);
  expect(result.tools.map(({ name }: { name: string }) => name)).toContain("probe_version");
});

test.each([
  ["of the protocol before 2026", {}],
  ["of the present protocol", { versionNegotiation: { mode: "auto" as const } }],
])("one service's schemas do not take the list of tools away from a client %s", async (_what, options) => {
  const parameters = ["5", `{ properties: 5 }`, `{ required: "x" }`, `{ $schema: 5 }`, `{ anyOf: [{}] }`];
  await reef.write({
    "odd/index.ts": `export default { name: "odd", registerTools(pi, client) {
      [${parameters}].forEach((parameters, i) => pi.registerTool({ name: "odd_" + i, label: "", description: "",
        parameters, execute: async () => client.ok("") })); } };`,
  });
  await reef.server.ctx.registry.sync();
  const client = new Client({ name: "inspector", version: "1" }, options);
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${reef.url}/mcp`), { requestInit: { headers: AUTHORIZED } }),
  );
  const { tools } = await client.listTools();
  await client.close();
  const odd = tools.filter(({ name }) => name.startsWith("odd_"));
  const inputSchema = { type: "object", properties: {} };
  expect(odd).toMatchObject([
    { name: "odd_0", inputSchema },
    { name: "odd_4", inputSchema },
  ]);
  expect(Object.keys(odd[1]?.inputSchema ?? {}).toSorted()).toEqual(["properties", "type"]);
});

test.each<[Record<string, string>, string | undefined]>([
  [{}, undefined],
  [{ host: "reef.example:8443", "x-forwarded-proto": "https" }, "https://reef.example:8443"],
])("tools know Reef by the address that the client has for it: %j", async (headers, other) => {
  const url = other ?? reef.url;
  await reef.write({
    "where/index.ts": `import { Hono } from "hono"; export default { name: "where",
      routes: new Hono().get("/", (c) => c.text("reached")), registerTools(pi, client) {
      pi.registerTool({ name: "where_is", label: "", description: "", parameters: {},
        execute: async () => client.ok(client.getBaseUrl() + " " + await client.api("GET", "/where")) }); } };`,
  });
  await reef.server.ctx.registry.sync();
  expect(await called("where_is", {}, headers)).toBe(`${url} reached`);
  const reply = await reef.fetch("/extension/call", { method: "POST", headers, body: '{"name":"where_is"}' });
  expect((await reply.json()).content[0].text).toBe(`${url} reached`);
});

test("a call waits for a service that is exchanged, and does not begin the exchange anew", async () => {
  const gate = join(reef.servicesDir, "gate");
  const begun = join(reef.servicesDir, "begun");
  const source = (version: number, init = "") => ({
    "swapped/index.ts": `import { existsSync, appendFileSync } from "node:fs";
      export default { name: "swapped", store: { flush() {} }, ${init} registerTools(pi, client) {
        pi.registerTool({ name: "swapped_version", label: "", description: "", parameters: {},
          execute: async () => client.ok("version ${version}") }); } };`,
  });
  await reef.write(source(1));
  await reef.server.ctx.registry.sync();
  expect(await called("swapped_version", {})).toBe("version 1");
  // The process that tries the code out does not wait.
  const wait = `async init() { if (process.pid !== ${process.pid}) return; appendFileSync(${JSON.stringify(begun)}, "x");
    while (!existsSync(${JSON.stringify(gate)})) await Bun.sleep(1); },`;
  await reef.write(source(2, wait));
  const loading = reef.server.ctx.registry.load("swapped");
  await eventually(() => existsSync(begun), "the exchange");
  const calls = [1, 2, 3, 4].map(() => called("swapped_version", {}));
  await called("probe_version", { count: 1 });
  writeFileSync(gate, "");
  expect(await Promise.all(calls)).toEqual(Array(4).fill("version 2"));
  await loading;
  expect(readFileSync(begun, "utf8")).toBe("x");
});

test("the list of very many tools is as long as a model can bear, and says so", async () => {
  await reef.write({
    "many/index.ts": `export default { name: "many", registerTools(pi, client) {
      for (let i = 0; i < 300; i++) pi.registerTool({ name: "many_" + i, label: "", description: "x".repeat(1000),
        parameters: {}, execute: async () => client.ok("") }); } };`,
  });
  await reef.server.ctx.registry.sync();
  const all = await called("reef_list_tools", {});
  expect(all.length).toBeLessThan(200_100);
  expect(all).toContain("characters omitted");
  expect(JSON.parse(await called("reef_list_tools", { query: "many_299" })).count).toBe(1);
  rmSync(join(reef.servicesDir, "many"), { recursive: true });
  await reef.server.ctx.registry.sync();
});

test("a call may be as large as any request", async () => {
  await reef.write({
    "big/index.ts": `export default { name: "big", registerTools(pi, client) {
      pi.registerTool({ name: "big_count", label: "", description: "", parameters: {},
        execute: async (_id, { text }) => client.ok(String(text.length)) }); } };`,
  });
  await reef.server.ctx.registry.sync();
  expect(await called("big_count", { text: "x".repeat(5_000_000) })).toBe("5000000");
});

test("a client that went is told to the tool, whatever it accepted", async () => {
  const gone = join(reef.servicesDir, "gone");
  await reef.write({
    "patient/index.ts": `import { writeFileSync } from "node:fs"; export default { name: "patient", registerTools(pi, client) {
      pi.registerTool({ name: "patient_wait", label: "", description: "", parameters: {},
        execute: (_id, _params, signal) => new Promise((resolve) => {
          writeFileSync(${JSON.stringify(gone)}, "waits");
          signal.addEventListener("abort", () => { writeFileSync(${JSON.stringify(gone)}, "gone"); resolve(client.ok("")); });
        }) }); } };`,
  });
  await reef.server.ctx.registry.sync();
  for (const accept of [BOTH, "*/*"]) {
    const client = new AbortController();
    const params = { name: "patient_wait", arguments: {} };
    const calling = post("tools/call", params, { accept }, client.signal).then((reply) => reply.text());
    calling.catch(() => undefined);
    await eventually(() => existsSync(gone) && readFileSync(gone, "utf8") === "waits", "the call");
    client.abort();
    await eventually(() => readFileSync(gone, "utf8") === "gone", `the end of a call with ${accept}`);
    rmSync(gone);
  }
});

const documented = Object.keys(routeDocs["POST /mcp"]?.responses ?? {});

test.each<[number, string, string, Record<string, string>]>([
  [406, "accepts JSON alone", "POST", { accept: "application/json" }],
  [406, "accepts no events", "POST", { accept: "*/*, text/event-stream;q=0" }],
  [415, "sends something else than JSON", "POST", { "content-type": "text/plain" }],
  [405, "asks for a stream of its own", "GET", { accept: "text/event-stream" }],
  [405, "ends a session", "DELETE", {}],
])("%i, as documented, is the answer to a client that %s", async (status, _what, method, headers) => {
  const all = { "content-type": "application/json", accept: BOTH, ...headers };
  const body = method === "POST" ? JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }) : null;
  const response = await reef.fetch("/mcp", { method, headers: all, body });
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ jsonrpc: "2.0", error: { message: expect.any(String) } });
  expect(documented).toContain(String(status));
});
