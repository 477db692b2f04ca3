import type { RouteDocs } from "../src/core/types.js";

export const routeDocs: Record<string, RouteDocs> = {
  "GET /extension.js": {
    summary: "The extension file for pi: tools, behaviours and widgets of all services in one ESM file",
    detail: "Built from the loaded services and anew when they change. Answers 304 to a known ETag.",
    query: {
      services: { type: "string", description: "Only these services, separated by commas" },
      category: {
        type: "string",
        description: "Only services that name this category in their capabilities, or none",
      },
    },
    response: "JavaScript; ETag is the SHA-256 of the content",
  },
  "GET /extension": {
    summary: "What is in the extension file and what is not",
    response:
      "{ hash, bytes, builtInMs, services: [name], leftOut: [{ name, reason }], problems: [{ service, tool?, error }] }",
  },
  "GET /extension/bootstrap.js": {
    summary:
      "A small extension for pi that fetches /extension.js, keeps it and falls back to the last good copy",
    response: "JavaScript",
  },
  "POST /mcp": {
    summary: "Model Context Protocol, stateless Streamable HTTP: the same tools for any MCP client",
    detail:
      "Tools run in the server with the caller's token, under the name in X-Reef-Agent-Name, else `mcp`. reef_list_tools and reef_call_tool reach tools that came later.",
    response: "JSON-RPC",
  },
};
