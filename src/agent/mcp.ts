/** The tool catalogue as an MCP server: stateless Streamable HTTP, one server instance per request. */
import type { McpHttpHandler } from "@modelcontextprotocol/server";
import type { ToolCatalog } from "./catalog.js";
import { callerOf } from "./execute.js";
import { acceptingByName } from "./mcp-accept.js";
import { McpCalls, type McpHost } from "./mcp-calls.js";
import { LIST, listTools, WAIT } from "./mcp-tools.js";

/** Options of {@link createMcp}. */
export interface McpOptions {
  host: McpHost;
  catalog: ToolCatalog;
  version: string;
  onError?: (error: Error) => void;
  /** After how long a call is answered without its result, in milliseconds. */
  answerAfterMs?: number;
}

const INSTRUCTIONS = `\
Reef is a server that people and agents extend while it runs: services provide everything it does. These are their \
tools. The list changes with the services; ${LIST} returns the current one. A long call returns before it \
has finished; ${WAIT} returns its result.`;

/** The handler behind `POST /mcp`. */
export interface Mcp {
  fetch(request: Request): Promise<Response>;
  /** Notifies listening clients that the list of tools has changed. */
  toolsChanged(): void;
  close(): Promise<void>;
}

/**
 * Creates the handler. The SDK is loaded at the first request: it is large, and many servers never see an MCP
 * client.
 *
 * @example
 * const mcp = createMcp({ host: ctx, catalog: new ToolCatalog(ctx), version: "1.0.0" });
 * routes.post("/mcp", (c) => mcp.fetch(c.req.raw));
 */
export function createMcp(options: McpOptions): Mcp {
  let handler: Promise<McpHttpHandler> | undefined;
  return {
    fetch: async (request) => {
      handler ??= createHandler(options);
      return (await handler).fetch(acceptingByName(request));
    },
    toolsChanged: () => void handler?.then(({ notify }) => notify.toolsChanged()),
    close: async () => (await handler)?.close(),
  };
}

async function createHandler(options: McpOptions): Promise<McpHttpHandler> {
  const { createMcpHandler, Server } = await import("@modelcontextprotocol/server");
  const calls = new McpCalls(options.host, options.catalog, options.answerAfterMs);
  return createMcpHandler(
    ({ requestInfo }) => {
      const server = new Server(
        { name: "reef", title: "Reef", version: options.version },
        {
          capabilities: { tools: { listChanged: true } },
          instructions: INSTRUCTIONS,
        },
      );
      server.setRequestHandler("tools/list", async () => ({ tools: await listTools(options.catalog) }));
      server.setRequestHandler("tools/call", async ({ params }, ctx) => {
        // There are no sessions, so the client's name is unknown here.
        const caller = callerOf(requestInfo, "mcp", ctx.mcpReq.signal);
        return calls.call(params.name, params.arguments, caller);
      });
      return server;
    },
    // The server has already enforced its own limit.
    { onerror: options.onError, maxRequestBodySize: Number.MAX_SAFE_INTEGER },
  );
}
