/** The tool list for MCP clients: the catalogue, and built-in tools. */
import type { Tool } from "@modelcontextprotocol/server";
import { modelSchema } from "../core/tools/model-schema.js";
import type { CatalogTool, ToolCatalog } from "./catalog.js";

/** The maximum length of a name: clients prefix it with `mcp__reef__`. */
export const MAX_MCP_NAME = 53;

/** The names of the built-in tools. */
export const LIST = "reef_list_tools";
export const CALL = "reef_call_tool";
export const WAIT = "reef_wait_for_call";

const READS = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

/** For clients that fetch the list only once, and for calls that take longer than a client waits. */
const BUILT_IN_TOOLS: Tool[] = [
  {
    name: LIST,
    title: "Reef: list tools",
    description:
      "List the tools that Reef offers now, with their input schemas. Use it when a tool you expect " +
      "is missing from your own list: services are loaded and unloaded while Reef runs.",
    inputSchema: {
      type: "object",
      properties: {
        query: { type: "string", description: "Only tools whose name or description contains this text" },
      },
    },
    annotations: READS,
  },
  {
    name: CALL,
    title: "Reef: call a tool",
    description: `Call a tool by name. Use it for tools from ${LIST} that are not in your own list. Returns the tool's result.`,
    inputSchema: {
      type: "object",
      properties: {
        name: { type: "string", description: "The tool's name" },
        arguments: { type: "object", description: "The tool's input, matching its input schema" },
      },
      required: ["name"],
    },
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  },
  {
    name: WAIT,
    title: "Reef: wait for a call",
    description:
      "Wait for a tool call that is still running and get its result. Use it when a result says that the tool is still running; repeat it while it does.",
    inputSchema: {
      type: "object",
      properties: { id: { type: "string", description: "The call's id, from that result" } },
      required: ["id"],
    },
    annotations: READS,
  },
];

/** Tools of services with these names are not reachable. */
const BUILT_IN_NAMES = new Set(BUILT_IN_TOOLS.map(({ name }) => name));

/** The tool list, complete once the server's start is over. */
export async function listTools(catalog: ToolCatalog): Promise<Tool[]> {
  await catalog.whole();
  const { tools } = catalog.list(MAX_MCP_NAME);
  return [...BUILT_IN_TOOLS, ...tools.map(describe).filter(({ name }) => !BUILT_IN_NAMES.has(name))];
}

function describe(tool: CatalogTool): Tool {
  const { readOnly, destructive, idempotent } = tool.annotations;
  const named = tool.name === tool.wireName ? "" : `\n\n(Canonical name: ${tool.name})`;
  return {
    name: tool.wireName,
    title: tool.label,
    description: tool.description + named,
    inputSchema: { ...modelSchema(tool.inputSchema), type: "object" },
    annotations: {
      title: tool.label,
      readOnlyHint: readOnly,
      destructiveHint: destructive,
      idempotentHint: idempotent,
      openWorldHint: false,
    },
  };
}

/** The result of `reef_list_tools`. */
export async function search(catalog: ToolCatalog, input: unknown): Promise<unknown> {
  await catalog.whole();
  const { tools } = catalog.list(MAX_MCP_NAME);
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
