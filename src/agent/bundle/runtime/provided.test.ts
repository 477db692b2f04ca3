import { expect, test } from "bun:test";
import type { ExtensionAPI, ToolDefinition } from "@mariozechner/pi-coding-agent";
import { createFleetClient } from "../../../core/client.js";
import type { CallOptions, FleetClient } from "../../../core/types.js";
import { remoteUnit } from "./provided.js";

test("a tool that runs in the server has as long as a request can last", async () => {
  const unit = remoteUnit("probe", [{ name: "slow", label: "Slow", description: "", inputSchema: {} }]);
  const module = (await unit.load()).default as {
    registerTools(pi: ExtensionAPI, client: FleetClient): void;
  };
  const calls: unknown[][] = [];
  let patience = 0;
  const client = {
    ...createFleetClient({ env: {} }),
    getBaseUrl: () => "http://reef.test",
    api: async (method: string, path: string, body?: unknown, options?: CallOptions) => {
      calls.push([method, path, body]);
      patience = options?.timeoutMs ?? 0;
      return { content: [{ type: "text", text: "done" }] };
    },
  } as unknown as FleetClient;
  let tool: ToolDefinition | undefined;
  module.registerTools(
    { registerTool: (one: ToolDefinition) => (tool = one) } as unknown as ExtensionAPI,
    client,
  );
  await tool?.execute("call-1", { a: 1 } as never, undefined, undefined, {} as never);
  expect(calls).toEqual([["POST", "/extension/call", { name: "slow", arguments: { a: 1 } }]]);
  expect(patience).toBe(290_000);
});
