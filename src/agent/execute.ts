/** Runs tools in the server, for clients other than pi. */
import type { ExtensionContext } from "@mariozechner/pi-coding-agent";
import { agentNameOf } from "../core/agent-name.js";
import { createFleetClient } from "../core/client.js";
import { messageOf, ReefError } from "../core/errors.js";
import { assertSuccess } from "../core/extension/results.js";
import { inHost } from "../core/generation/host-context.js";
import { originOf } from "../core/origin.js";
import type { ServiceContext, ToolResult } from "../core/types.js";
import { untilAborted } from "../core/waiters.js";
import type { CatalogTool } from "./catalog.js";
import { collectTools } from "./collect.js";
import { readInput } from "./input.js";

/** How long a tool may take, in milliseconds: twice the maximum duration of a deploy's tests. */
const TOOL_LIMIT_MS = 2 * 3_600_000;

/** The caller of a tool. */
export interface Caller {
  agentName: string;
  /** The origin under which the caller reaches this server. Requests of the tool to it stay inside the process. */
  url: string;
  /** The caller's bearer token; the tool has the same rights. */
  token: string;
  signal?: AbortSignal;
}

/** The caller who sent a request. Without an agent name it is called `unnamed`. */
export function callerOf(request: Request | undefined, unnamed: string, signal = request?.signal): Caller {
  return {
    agentName: (request && agentNameOf(request)) ?? unnamed,
    url: request ? originOf(request) : "http://reef.internal",
    token: (request?.headers.get("authorization") ?? "").replace(/^bearer\s+/i, ""),
    signal,
  };
}

/** The part of a service's context that running tools needs. */
export type ExecutionHost = Pick<ServiceContext, "registry" | "dispatch">;

/**
 * Validates the input and runs a tool. Rejects with the tool's own message when it fails.
 *
 * @example
 * const tool = await catalog.get("board_list_tasks");
 * const { content } = await executeTool(ctx, tool, {}, callerOf(c.req.raw, "http"));
 */
export async function executeTool(
  host: ExecutionHost,
  tool: CatalogTool,
  input: unknown,
  caller: Caller,
): Promise<ToolResult> {
  const params: unknown = await readInput(tool.name, tool.inputSchema, input);
  // In the host's context: the tool may outlive the service through which it is called.
  const deadline = inHost(() => AbortSignal.timeout(TOOL_LIMIT_MS));
  const signal = caller.signal ? AbortSignal.any([caller.signal, deadline]) : deadline;
  const { owner } = tool;
  const running =
    "service" in owner
      ? runServiceTool(host, owner.service, tool.name, params, { ...caller, signal })
      : runProvidedTool(host, owner.via, tool.name, params, { ...caller, signal });
  return untilAborted(running, signal, givenUp);
}

async function runServiceTool(
  host: ExecutionHost,
  service: string,
  name: string,
  params: unknown,
  caller: Caller & { signal: AbortSignal },
): Promise<ToolResult> {
  const client = createFleetClient({
    env: { VERS_INFRA_URL: caller.url, VERS_AUTH_TOKEN: caller.token, VERS_AGENT_NAME: caller.agentName },
    signal: caller.signal,
    fetch: (url, init) => untilAborted(host.dispatch(new Request(url, init)), init.signal, givenUp),
  });
  const isCalled = (one: { name: string }) => one.name === name;
  // An async function, so that it waits while the service is being exchanged; the tool is collected from the
  // version that runs it.
  const result = await host.registry.run(service, async (module) => {
    const { tools, later } = collectTools(module, client);
    if (!tools.some(isCalled)) await later;
    const tool = tools.find(isCalled);
    if (!tool) throw new ReefError("NOT_FOUND", `"${service}" no longer has a tool "${name}"`);
    const { signal } = caller;
    return tool.execute(Bun.randomUUIDv7(), params as never, signal, undefined, headless(signal));
  });
  return assertSuccess(result);
}

async function runProvidedTool(
  host: ExecutionHost,
  service: string,
  name: string,
  params: unknown,
  { agentName, signal }: Caller,
): Promise<ToolResult> {
  const output: unknown = await host.registry.run(service, async ({ toolProvider }) => {
    if (!toolProvider) throw new ReefError("NOT_FOUND", `"${service}" no longer provides tools`);
    return toolProvider.callTool(name, params, { agentName, signal });
  });
  const text = typeof output === "string" ? output : JSON.stringify(output, null, 2);
  return { content: [{ type: "text", text: text ?? "done" }], details: { output } };
}

const givenUp = (reason: unknown) => new Error(`cancelled: ${messageOf(reason)}`);

/** The context of an agent without a terminal. Members that such an agent lacks throw when they are used. */
function headless(signal: AbortSignal): ExtensionContext {
  const context: Record<PropertyKey, unknown> = {
    hasUI: false,
    cwd: "/",
    model: undefined,
    signal,
    isIdle: () => false,
    abort: () => undefined,
    hasPendingMessages: () => false,
    getContextUsage: () => undefined,
    getSystemPrompt: () => "",
  };
  return new Proxy({} as ExtensionContext, {
    get: (_target, key) => {
      if (key in context || typeof key === "symbol" || key === "then") return context[key];
      throw new Error(`ctx.${key} is not available: this tool runs in the server, not in an agent`);
    },
  });
}
