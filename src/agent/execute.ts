/** Runs a tool in the server, for clients that are no pi. */
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

/** How long a tool may take, in milliseconds: twice as long as the tests of a deploy at most. What takes longer hangs. */
const TOOL_LIMIT_MS = 2 * 3_600_000;

/** On whose behalf a tool runs. */
export interface Caller {
  agentName: string;
  /** Under which the caller reaches this server; what a tool sends there never leaves the process. */
  url: string;
  /** The bearer token that the caller came with; the tool acts with the same rights. */
  token: string;
  signal?: AbortSignal;
}

/** Who sent this request. One that names no agent is known as `unnamed`. */
export function callerOf(request: Request | undefined, unnamed: string, signal = request?.signal): Caller {
  return {
    agentName: (request && agentNameOf(request)) ?? unnamed,
    url: request ? originOf(request) : "http://reef.internal",
    token: (request?.headers.get("authorization") ?? "").replace(/^bearer\s+/i, ""),
    signal,
  };
}

export type ExecutionHost = Pick<ServiceContext, "registry" | "dispatch">;

/** Runs a tool with checked input. Rejects with the tool's own message when it fails. */
export async function executeTool(
  host: ExecutionHost,
  tool: CatalogTool,
  input: unknown,
  caller: Caller,
): Promise<ToolResult> {
  const params: unknown = await readInput(tool.name, tool.inputSchema, input);
  // It may outlive the service that it is called through.
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
  const isIt = (one: { name: string }) => one.name === name;
  // Asynchronous, so that it waits for a version that is on its way, and registered by the version that runs it.
  const result = await host.registry.run(service, async (module) => {
    const { tools, later } = collectTools(module, client);
    if (!tools.some(isIt)) await later;
    const tool = tools.find(isIt);
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

/** The context of an agent without a terminal; what such an agent does not have throws when it is used. */
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
