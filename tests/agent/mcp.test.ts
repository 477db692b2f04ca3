import { afterAll, beforeAll, expect, test } from "bun:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { TOKEN } from "../support/sandbox.js";
import { probeService, probeTools } from "./probe-service.js";
import { startReef, type TestReef } from "./reef.js";

const SAFE = /^[a-zA-Z0-9_-]{1,53}$/;
const WAIT = "reef_wait_for_call";
const META = ["reef_call_tool", "reef_list_tools", WAIT];

let reef: TestReef;
let client: Client;
beforeAll(async () => {
  const folders = [
    "services/agent",
    "services/services",
    "services/feed",
    "examples/services/board",
    "examples/services/log",
  ];
  reef = await startReef(folders, { "probe/index.ts": probeService(1) });
  client = new Client({ name: "inspector", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${TOKEN}`, "x-reef-agent-name": "inspector" } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${reef.url}/mcp`), { requestInit }));
});
afterAll(async () => {
  await client.close();
  await reef.stop();
});

interface Result {
  content: Array<{ text: string }>;
  isError?: boolean;
}

const call = async (name: string, given: Record<string, unknown> = {}) => {
  const { content, isError } = (await client.callTool({ name, arguments: given })) as unknown as Result;
  return { isError: isError === true, text: content.map(({ text }) => text).join("\n") };
};

const list = async () => (await client.listTools()).tools;

/** Input for each tool, by what has happened before. */
async function inputs(): Promise<Record<string, Record<string, unknown>>> {
  const title = "Paint the shed";
  const task = JSON.parse((await call("board_create_task", { title })).text);
  const { id } = task;
  const probe = { name: "probe" };
  const published = { type: "painted", content: "The shed is painted" };
  const event = JSON.parse((await call("feed_publish", published)).text);
  return {
    reef_list_tools: {},
    reef_call_tool: { name: "log_query" },
    board_create_task: { title },
    board_get_task: { id },
    board_update_task: { id, status: "in_progress" },
    board_add_note: { id, content: "half of it is red" },
    board_add_artifacts: { id, artifacts: [{ type: "url", url: "https://example.com/shed" }] },
    board_bump_task: { id },
    board_submit_for_review: { id, summary: "It is red" },
    board_reject_task: { id, reason: "The door is not" },
    board_approve_task: { id },
    log_append: { text: "Painted" },
    feed_publish: published,
    feed_thread: { id: event.id },
    services_inspect: probe,
    services_logs: probe,
    services_versions: probe,
    services_export: probe,
    services_deploy: probe,
  };
}

/** As text, the way models write numbers now and then. */
function guess(name: string): Record<string, unknown> {
  if (name.startsWith("plugin")) return { a: 1, b: "2" };
  return name.startsWith("probe") ? { count: "3" } : {};
}

/** These take the probe away or bring it back; they come last. */
const CHANGES = [
  "services_disable",
  "services_enable",
  "services_unload",
  "services_rollback",
  "services_reload",
];

async function callEverything(version: number): Promise<void> {
  const tools = await list();
  const given = await inputs();
  const names = tools.map(({ name }) => name).filter((name) => name !== WAIT && !CHANGES.includes(name));
  // The board has an order in which things can be done.
  const order = Object.keys(given);
  names.sort((a, b) => order.indexOf(a) - order.indexOf(b));
  for (const name of names) {
    if (name === "board_approve_task")
      await call("board_submit_for_review", { ...given[name], summary: "Now it is" });
    const result = await call(name, given[name] ?? guess(name));
    expect({ name, ...result }).toEqual({ name, isError: name === "probe_fails", text: expect.any(String) });
  }
  const wire = Object.fromEntries(
    tools.map(({ name, description }) => [description?.split("name: ")[1]?.slice(0, -1) ?? name, name]),
  );
  for (const name of probeTools(version)) {
    expect((await call(wire[name] ?? name, { count: 3 })).text).toBe(
      `version ${version} ${name} 3 inspector`,
    );
  }
}

test("without the token there is no MCP", async () => {
  const response = await fetch(`${reef.url}/mcp`, { method: "POST", body: "{}" });
  expect(response.status).toBe(401);
});

test("the list is the catalogue, with names that clients accept and with annotations", async () => {
  const tools = await list();
  const catalogue = await reef.json("/services/tools");
  expect(tools.length).toBe(catalogue.count + META.length);
  expect(tools.filter(({ name }) => !SAFE.test(name))).toEqual([]);
  const find = (name: string) => tools.find((tool) => tool.name === name)?.annotations;
  expect(find("board_list_tasks")).toMatchObject({
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
  });
  expect(find("board_create_task")).toMatchObject({ readOnlyHint: false, destructiveHint: false });
  expect(find("services_unload")).toMatchObject({ readOnlyHint: false, destructiveHint: true });
  expect(find("probe_version")).toMatchObject({ readOnlyHint: true });
  expect(find("feed_thread")).toMatchObject({ readOnlyHint: true, destructiveHint: false });
});

test("every tool can be called, before and after a reload", async () => {
  await callEverything(1);
  await reef.write({ "probe/index.ts": probeService(2) });
  expect(await call("services_reload", { name: "probe" })).toMatchObject({ isError: false });
  await callEverything(2);
  const names = (await list()).map(({ name }) => name);
  expect(names).toContain("probe_only_in_2");
  expect(names).not.toContain("probe_only_in_1");
});

test("the tools that change services can be called", async () => {
  for (const name of CHANGES) {
    const result = await call(name, name === "services_reload" ? {} : { name: "probe" });
    // Each finds the probe as the one before it left it; what matters here is that the manager itself answers.
    expect({ name, text: result.text }).not.toEqual({ name, text: expect.stringContaining("no tool") });
  }
});

test("the two tools that stay reach those that came later", async () => {
  await reef.write({
    "late/index.ts": probeService(3)
      .replaceAll("probe", "late")
      .replace(/toolProvider[\s\S]*?\n {2}\},/, ""),
  });
  expect((await reef.fetch("/services/reload", { method: "POST" })).status).toBe(200);
  const { text } = await call("reef_list_tools", { query: "late_version" });
  expect(JSON.parse(text).tools).toEqual([expect.objectContaining({ name: "late_version" })]);
  const called = await call("reef_call_tool", { name: "late.dotted", arguments: { count: 1 } });
  expect(called).toEqual({ isError: false, text: "version 3 late.dotted 1 inspector" });
});

test("a method of a plugin is called by either of its names", async () => {
  const canonical = "plugin__com.example.math-plugin__math__add";
  await reef.write({ "probe/index.ts": probeService(4) });
  await reef.fetch("/services/reload", { method: "POST" });
  for (const name of [canonical, canonical.replace(/\./g, "_")]) {
    const { text } = await call("reef_call_tool", { name, arguments: { a: 5, b: "3" } });
    expect(JSON.parse(text)).toEqual({ name: canonical, result: 8, agentName: "inspector" });
  }
});

test("what is wrong is told to the model: input, name, the tool's own failure", async () => {
  expect(await call("probe_version", { count: "many" })).toEqual({
    isError: true,
    text: expect.stringContaining("count must be integer"),
  });
  expect(await call("no_such_tool")).toEqual({ isError: true, text: expect.stringContaining("no tool") });
  expect(await call("probe_fails")).toEqual({ isError: true, text: "Error: on purpose" });
  expect(await call("board_get_task", { id: "nothing" })).toEqual({
    isError: true,
    text: expect.stringContaining("(404)"),
  });
});

test("a client that listens is told when the tools are others", async () => {
  const heard = Promise.withResolvers<void>();
  const listener = new Client(
    { name: "listener", version: "1" },
    { versionNegotiation: { mode: "auto" }, listChanged: { tools: { onChanged: () => heard.resolve() } } },
  );
  const requestInit = { headers: { authorization: `Bearer ${TOKEN}` } };
  await listener.connect(new StreamableHTTPClientTransport(new URL(`${reef.url}/mcp`), { requestInit }));
  try {
    await reef.write({ "probe/index.ts": probeService(5) });
    await reef.fetch("/services/reload", { method: "POST" });
    await heard.promise;
  } finally {
    await listener.close();
  }
});
