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
    summary: "The extension file for pi: tools, behaviours and widgets of all services in one ESM file",
    detail:
      "Built from the loaded services and anew when they change. While the server starts, it waits for services that are on their way, for up to 10 s. Answers 304 to a known ETag.",
    query: {
      services: { type: "string", description: "Only these services, separated by commas" },
      category: {
        type: "string",
        description: "Only services that name this category in their capabilities, or none",
      },
    },
    response: "200 text/javascript; ETag is the SHA-256 of the content",
    examples: [{ summary: "All services" }, { summary: "The board only", query: { services: "board" } }],
  },
  "GET /extension": {
    summary: "What is in the extension file and what is not",
    response:
      "{ hash, bytes, builtInMs, services: [name], leftOut: [{ name, reason }], problems: [{ service, tool?, error }] }",
    examples: [{ summary: "What is in it" }],
  },
  "GET /extension/bootstrap.js": {
    summary:
      "A small extension for pi that fetches /extension.js, keeps it and falls back to the last good copy",
    response: "200 text/javascript",
    examples: [{ summary: "The bootstrap" }],
  },
  "POST /extension/call": {
    summary: "Call any tool of the catalogue",
    detail: "422 with the tool's own message when the tool fails; 404 when there is no such tool.",
    body: {
      name: { type: "string", required: true, description: "Canonical or wire name" },
      arguments: { type: "object", description: "The tool's input" },
    },
    response: "{ content: [{ type, text }] }",
    examples: [
      { summary: "What is loaded", body: { name: "services_list", arguments: {} } },
      { summary: "No such tool", body: { name: "nobody_knows" }, status: 404 },
    ],
  },
  "POST /mcp": {
    summary: "Model Context Protocol, stateless Streamable HTTP: the same tools for any MCP client",
    detail:
      "Tools run in the server with the caller's token, under the name in X-Reef-Agent-Name, else `mcp`. reef_list_tools and reef_call_tool reach tools that came later. A call that takes longer than 45 s is answered with an id, for which reef_wait_for_call has the result.",
    response: "JSON-RPC, as JSON or as an event stream",
    responses: {
      405: refused("Another method than POST: there are no sessions and no streams of their own."),
      406: refused(
        "The client does not accept both application/json and text/event-stream, by name or by `*/*`.",
      ),
      415: refused("The body is not sent as application/json."),
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
        summary: "Which tools there are",
        body: { jsonrpc: "2.0", id: 1, method: "tools/list" },
      },
    ],
  },
};
