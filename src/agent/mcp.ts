/** The tool catalogue as an MCP server: stateless Streamable HTTP, one server for each request. */
import type { McpHttpHandler, Tool } from "@modelcontextprotocol/server";
import { messageOf, ReefError } from "../core/errors.js";
import type { Catalog, CatalogTool, ToolCatalog } from "./catalog.js";
import { type Caller, callerOf, type ExecutionHost, executeTool } from "./execute.js";
import { acceptingByName } from "./mcp-accept.js";

/** Clients put `mcp__reef__` before the name. */
const MAX_MCP_NAME = 53;

const LIST = "reef_list_tools";
const CALL = "reef_call_tool";

type CallResult = { content: Array<{ type: "text"; text: string }>; isError?: boolean };

/** For clients that ask for the list once and never again: two tools that stay, and lead to all the others. */
const META_TOOLS: Tool[] = [
  {
    name: LIST,
    title: "Reef: list tools",
    description:
      "Lists the tools that Reef offers at this moment, with their input schemas. Use it when a tool you expect " +
      "is missing from your own list: services come and go while Reef runs.",
    inputSchema: {
      type: "object",
      properties: {
        query: { type: "string", description: "Only tools whose name or description contains this text" },
      },
    },
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  },
  {
    name: CALL,
    title: "Reef: call a tool",
    description: `Calls a tool by the name that ${LIST} shows.`,
    inputSchema: {
      type: "object",
      properties: {
        name: { type: "string", description: "The tool's name" },
        arguments: { type: "object", description: "The tool's input, as its schema asks for" },
      },
      required: ["name"],
    },
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  },
];

export interface McpOptions {
  host: ExecutionHost;
  catalog: ToolCatalog;
  version: string;
  onError?: (error: Error) => void;
}

/** The handler behind `POST /mcp`. */
export interface Mcp {
  fetch(request: Request): Promise<Response>;
  /** Tells clients that listen that the list of tools is another. */
  toolsChanged(): void;
  close(): Promise<void>;
}

/** The SDK is loaded at the first request: it is large, and many servers never see an MCP client. */
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
  return createMcpHandler(
    ({ requestInfo }) => {
      const server = new Server(
        { name: "reef", title: "Reef", version: options.version },
        {
          capabilities: { tools: { listChanged: true } },
          instructions: `The tools of this Reef's services. The list follows the services; ${LIST} always has the present one.`,
        },
      );
      server.setRequestHandler("tools/list", () => ({ tools: listed(options.catalog) }));
      server.setRequestHandler("tools/call", async ({ params }, ctx) => {
        // There are no sessions, so a client's own name is not known here.
        const caller = callerOf(requestInfo, "mcp", ctx.mcpReq.signal);
        return call(options.host, options.catalog, params.name, params.arguments, caller);
      });
      return server;
    },
    { onerror: options.onError },
  );
}

function listed(catalog: ToolCatalog): Tool[] {
  const { tools } = catalog.list(MAX_MCP_NAME);
  const taken = new Set(META_TOOLS.map(({ name }) => name));
  return [...META_TOOLS, ...tools.map(describe).filter(({ name }) => !taken.has(name))];
}

function describe(tool: CatalogTool): Tool {
  const { readOnly, destructive, idempotent } = tool.annotations;
  const named = tool.name === tool.wireName ? "" : `\n\n(Canonical name: ${tool.name})`;
  return {
    name: tool.wireName,
    title: tool.label,
    description: tool.description + named,
    inputSchema: { ...tool.inputSchema, type: "object" },
    annotations: {
      title: tool.label,
      readOnlyHint: readOnly,
      destructiveHint: destructive,
      idempotentHint: idempotent,
      openWorldHint: false,
    },
  };
}

/** What fails is told to the model, not to the protocol: it can mend its input or try another tool. */
async function call(
  host: ExecutionHost,
  catalog: ToolCatalog,
  name: string,
  input: unknown,
  caller: Caller,
): Promise<CallResult> {
  try {
    if (name === LIST) return text(JSON.stringify(search(catalog.list(MAX_MCP_NAME), input), null, 2));
    if (name === CALL) {
      const { name: target, arguments: given } = (input ?? {}) as { name?: unknown; arguments?: unknown };
      if (typeof target !== "string") throw new ReefError("BAD_REQUEST", `${CALL} takes the name of a tool`);
      if (target === LIST || target === CALL) return await call(host, catalog, LIST, given, caller);
      return await run(host, catalog, target, given, caller);
    }
    return await run(host, catalog, name, input, caller);
  } catch (error) {
    return { ...text(`Error: ${messageOf(error)}`), isError: true };
  }
}

async function run(
  host: ExecutionHost,
  catalog: ToolCatalog,
  name: string,
  input: unknown,
  caller: Caller,
): Promise<CallResult> {
  const { content } = await executeTool(host, catalog.get(name, MAX_MCP_NAME), input, caller);
  return { content };
}

const text = (value: string): CallResult => ({ content: [{ type: "text", text: value }] });

function search({ tools }: Catalog, input: unknown): unknown {
  const query = (input as { query?: unknown } | undefined)?.query;
  const wanted = typeof query === "string" ? query.toLowerCase() : "";
  const found = tools.filter(({ name, description }) =>
    `${name} ${description}`.toLowerCase().includes(wanted),
  );
  return {
    tools: found.map(({ name, description, inputSchema, annotations }) => ({
      name,
      description,
      inputSchema,
      annotations,
    })),
    count: found.length,
  };
}
