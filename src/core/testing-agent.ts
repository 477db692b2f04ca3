/** A stand-in for the agent, for the tests of tools, behaviours and widgets: no pi, no model, no network. */
import type { ExtensionAPI, ExtensionContext } from "@mariozechner/pi-coding-agent";
import type { TSchema } from "@sinclair/typebox";
import { TypeCompilerTypeGuardError, TypeCompilerUnknownTypeError } from "@sinclair/typebox/compiler";
import { createFleetClient } from "./client.js";
import type { TestHarness } from "./testing.js";
import type { FleetClient, Json, ServiceModule, ToolResult } from "./types.js";
import { assertFits } from "./validate/json-schema.js";
import { checkValue } from "./validate.js";

const NOT_TYPEBOX = [TypeCompilerTypeGuardError, TypeCompilerUnknownTypeError];

interface RegisteredTool {
  name: string;
  description: string;
  parameters: TSchema;
  execute(
    toolCallId: string,
    params: unknown,
    signal: undefined,
    onUpdate: undefined,
    context: Partial<ExtensionContext>,
  ): Promise<ToolResult>;
}

type Handler = (event: Json, context: Partial<ExtensionContext>) => unknown;

export interface TestAgent {
  client: FleetClient;
  /** The registered tools by name; what is registered after an `await` comes later. */
  tools: ReadonlyMap<string, RegisteredTool>;
  /** Calls a tool as a model would. Rejects for an unknown tool, or parameters that its schema refuses. */
  call(tool: string, params?: Record<string, unknown>): Promise<ToolResult>;
  /** Raises one of pi's events; resolves with what its handlers returned, in their order. */
  raise(event: string, data?: Record<string, unknown>): Promise<Json[]>;
}

export interface TestAgentOptions {
  /** Default `"test-agent"`. */
  name?: string;
  /** `false` for an agent that has no control plane. */
  connected?: boolean;
  /** What the client's requests are answered with, instead of by the harness. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** What the services use of pi besides `registerTool` and `on`, its `events` for instance. */
  pi?: Partial<ExtensionAPI>;
  /** What pi gives to handlers and tools as their context; default that of an agent without a terminal. */
  context?: Partial<ExtensionContext>;
}

/**
 * Registers the tools and behaviours of `modules` with an agent whose requests are answered by `harness`.
 *
 * @example
 * const agent = createTestAgent(t, [board]);
 * const { details } = await agent.call("board_create_task", { title: "Water the plants" });
 */
export function createTestAgent(
  harness: TestHarness,
  modules: readonly ServiceModule[],
  options: TestAgentOptions = {},
): TestAgent {
  const { name = "test-agent", connected = true, fetch = harness.app.request } = options;
  const { context = { hasUI: false } } = options;
  const client = createFleetClient({
    env: {
      VERS_INFRA_URL: connected ? "http://reef.test" : "",
      VERS_AUTH_TOKEN: harness.authToken,
      VERS_AGENT_NAME: name,
    },
    fetch,
  });
  const tools = new Map<string, RegisteredTool>();
  const handlers = new Map<string, Handler[]>();
  const pi = {
    ...options.pi,
    registerTool(tool: RegisteredTool) {
      if (tools.has(tool.name)) throw new Error(`the tool ${tool.name} is already registered`);
      tools.set(tool.name, tool);
    },
    on(event: string, handler: Handler) {
      handlers.set(event, [...(handlers.get(event) ?? []), handler]);
    },
  } as unknown as ExtensionAPI;
  const registering = modules.flatMap((module): unknown[] => [
    module.registerTools?.(pi, client),
    module.registerBehaviors?.(pi, client),
  ]);
  // Whoever calls a tool or raises an event is told what was thrown.
  const registered = Promise.all(registering);
  registered.catch(() => undefined);
  return {
    client,
    tools,
    call: async (name, params = {}) => {
      await registered;
      const tool = tools.get(name);
      if (!tool)
        throw new Error(`there is no tool ${name}; registered tools: ${[...tools.keys()].join(", ")}`);
      await checkParameters(tool.parameters, params);
      return tool.execute("call-1", params, undefined, undefined, context);
    },
    raise: async (event, data = {}) => {
      await registered;
      const results: Json[] = [];
      for (const handler of handlers.get(event) ?? [])
        results.push(await handler({ type: event, ...data }, context));
      return results;
    },
  };
}

/** Agents take any JSON Schema; what is not made of TypeBox's own types throughout, TypeBox does not check. */
async function checkParameters(schema: TSchema, params: unknown): Promise<void> {
  try {
    checkValue(schema, params, "the parameters");
  } catch (error) {
    if (!NOT_TYPEBOX.some((type) => error instanceof type)) throw error;
    await assertFits(JSON.parse(JSON.stringify(schema)), params, "invalid parameters");
  }
}
