import type { RouteDocs } from "../../src/core/types.js";

/** What the protocol answers instead of a result. */
const refused = (description: string) => ({
  description,
  schema: {
    type: "object",
    properties: {
      jsonrpc: { const: "2.0" },
      id: { type: "null" },
      error: {
        type: "object",
        properties: { code: { type: "integer" }, message: { type: "string" } },
      },
    },
  },
});

export const routeDocs: Record<string, RouteDocs> = {
  "GET /extension.js": {
    summary: "Download the pi extension: one ESM file with the tools, behaviours and widgets of all services",
    detail:
      "Built from the loaded services and rebuilt when they change. During startup, waits up to 10 s for services that are still loading. Returns 304 when `If-None-Match` matches.",
    query: {
      services: { type: "string", description: "Include only these services (comma-separated)" },
      category: {
        type: "string",
        description: "Include only services that declare this category in their capabilities, or no category",
      },
    },
    response: "200 text/javascript; ETag is the SHA-256 of the content",
    examples: [{ summary: "All services" }, { summary: "The board only", query: { services: "board" } }],
  },
  "GET /extension": {
    summary: "List what the extension file includes and leaves out",
    response:
      "{ hash, bytes, builtInMs, services: [name], leftOut: [{ name, reason }], problems: [{ service, tool?, error }] }",
    examples: [{ summary: "What is in it" }],
  },
  "GET /extension/bootstrap.js": {
    summary:
      "Download the bootstrap: a small pi extension that fetches /extension.js, caches it and falls back to the last good copy",
    response: "200 text/javascript",
    examples: [{ summary: "The bootstrap" }],
  },
  "POST /extension/call": {
    summary: "Call any tool in the catalogue",
    detail: "422 with the tool's error message when the tool fails; 404 when the tool does not exist.",
    body: {
      name: { type: "string", required: true, description: "Canonical or wire name" },
      arguments: { type: "object", description: "The tool's input" },
    },
    response: "{ content: [{ type, text }] }",
    examples: [
      { summary: "List the services", body: { name: "services_list", arguments: {} } },
      { summary: "No such tool", body: { name: "nobody_knows" }, status: 404 },
    ],
  },
  "POST /mcp": {
    summary: "Model Context Protocol endpoint (stateless Streamable HTTP) with the same tools",
    detail:
      "Tools run in the server with the caller's token. The agent name is X-Reef-Agent-Name, or `mcp`. Use reef_list_tools and reef_call_tool for tools added after the client listed them. A call that takes longer than 45 s returns an id; reef_wait_for_call returns its result.",
    response: "JSON-RPC, as JSON or as an event stream",
    responses: {
      405: refused("Only POST is supported: the server is stateless and opens no streams."),
      406: refused("The `Accept` header must allow both application/json and text/event-stream."),
      415: refused("The content type must be application/json."),
    },
    schemas: {
      body: {
        type: "object",
        required: ["jsonrpc", "method"],
        properties: {
          jsonrpc: { const: "2.0" },
          id: { type: ["integer", "string"] },
          method: { type: "string" },
          params: { type: "object" },
        },
      },
    },
    examples: [
      {
        summary: "List the tools",
        body: { jsonrpc: "2.0", id: 1, method: "tools/list" },
      },
    ],
  },
};
