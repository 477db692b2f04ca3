/** What a service registers when it believes to be in an agent. */
import type { ExtensionAPI, ToolDefinition } from "@mariozechner/pi-coding-agent";
import { messageOf } from "../core/errors.js";
import type { FleetClient, ServiceModule } from "../core/types.js";

export interface Collected {
  tools: ToolDefinition[];
  /** What `registerTools` threw; tools registered before that are kept. */
  error?: string;
  /** Where it returned a promise: settles with what it rejected with, when all tools are registered. Never rejects. */
  later?: Promise<string | undefined>;
}

const nothing = () => undefined;
const bus = { on: () => nothing, emit: nothing };

/** A pi that keeps tools and accepts everything else without effect. */
function collector(tools: ToolDefinition[]): ExtensionAPI {
  const members: Record<PropertyKey, unknown> = {
    registerTool: (tool: ToolDefinition) => {
      if (typeof tool?.name !== "string" || tool.name === "") throw new Error("a tool needs a name");
      if (typeof tool.execute !== "function")
        throw new Error(`execute of tool "${tool.name}" is not a function`);
      tools.push(tool);
    },
    events: bus,
  };
  return new Proxy({} as ExtensionAPI, {
    get: (_target, key) => {
      if (key in members) return members[key];
      return key === "then" ? undefined : nothing;
    },
  });
}

/** What a service registers. Runs its code, so only in its own context. */
export function collectTools(module: ServiceModule, client: FleetClient): Collected {
  const tools: ToolDefinition[] = [];
  try {
    const result: unknown = module.registerTools?.(collector(tools), client);
    if (result instanceof Promise) return { tools, later: result.then(nothing, messageOf) };
  } catch (error) {
    return { tools, error: messageOf(error) };
  }
  return { tools };
}
