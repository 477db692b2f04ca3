/** A stand-in for the agent, for tests of tools, behaviours and widgets: no pi, no model, no network. */
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

/** An agent for tests. */
export interface TestAgent {
  client: FleetClient;
  /** The registered tools by name; those registered after an `await` are added later. */
  tools: ReadonlyMap<string, RegisteredTool>;
  /** Calls a tool as a model would. Rejects for unknown tools and invalid parameters. */
  call(tool: string, params?: Record<string, unknown>): Promise<ToolResult>;
  /** Raises one of pi's events. Resolves with the handlers' results in order. */
  raise(event: string, data?: Record<string, unknown>): Promise<Json[]>;
}

/** Options of {@link createTestAgent}. */
export interface TestAgentOptions {
  /** Default `"test-agent"`. */
  name?: string;
  /** `false` simulates an agent without a control plane. */
  connected?: boolean;
  /** Answers the client's requests instead of the harness. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Further members of pi that the services use besides `registerTool` and `on`, such as `events`. */
  pi?: Partial<ExtensionAPI>;
  /** The context passed to handlers and tools. Default: that of an agent without a terminal. */
  context?: Partial<ExtensionContext>;
}

/**
 * Registers the tools and behaviours of `modules` with an agent whose requests `harness` answers.
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
  // `call` and `raise` reject with the error.
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

/** Agents take any JSON Schema; TypeBox only checks schemas that consist of its own types. */
async function checkParameters(schema: TSchema, params: unknown): Promise<void> {
  try {
    checkValue(schema, params, "the parameters");
  } catch (error) {
    if (!NOT_TYPEBOX.some((type) => error instanceof type)) throw error;
    await assertFits(JSON.parse(JSON.stringify(schema)), params, "invalid parameters");
  }
}
