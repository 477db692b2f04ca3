/** Collects the tools that a service registers, without an agent. */
import type { ExtensionAPI, ToolDefinition } from "@mariozechner/pi-coding-agent";
import { messageOf } from "../core/errors.js";
import type { FleetClient, ServiceModule } from "../core/types.js";

/** The tools that a service registered. */
export interface Collected {
  tools: ToolDefinition[];
  /** The error of `registerTools`; tools registered before it are kept. */
  error?: string;
  /** Set when `registerTools` is async. Resolves once it is done, with its error message if it failed; never rejects. */
  later?: Promise<string | undefined>;
}

const nothing = () => undefined;
const bus = { on: () => nothing, emit: nothing };

/** A pi that records tools and ignores everything else. */
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

/** Collects a service's tools. Runs the service's code, so call it in the service's context. */
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
