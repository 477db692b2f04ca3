/** What clients of MCP send and get that use no library for it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Json } from "../../src/core/types.js";
import { probeService } from "./probe-service.js";
import { startReef, type TestReef } from "./reef.js";

const BOTH = "application/json, text/event-stream";

let reef: TestReef;
beforeAll(async () => {
  reef = await startReef(["services/agent"], { "probe/index.ts": probeService(1) });
});
afterAll(() => reef.stop());

const post = (method: string, params: object, headers: Record<string, string> = {}) =>
  reef.fetch("/mcp", {
    method: "POST",
    headers: { "content-type": "application/json", accept: BOTH, ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
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
