/** Which tools does a service give to agents? */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { createFleetClient } from "../../src/core/client.js";
import { messageOf } from "../../src/core/errors.js";
import type { Logger } from "../../src/core/log.js";
import type { ServiceModule } from "../../src/core/types.js";

export interface ToolEntry {
  name: string;
  description: string;
}

const known = new WeakMap<ServiceModule, ToolEntry[]>();

/** The names and descriptions of a service's tools, as it would register them with an agent; none is ever run. */
export function listTools(module: ServiceModule, log: Logger): ToolEntry[] {
  if (!module.registerTools) return [];
  const listed = known.get(module);
  if (listed) return listed;
  const tools: ToolEntry[] = [];
  const register = ({ name, description }: ToolEntry) => void tools.push({ name, description });
  const ignore = () => undefined;
  const recorder = new Proxy({}, { get: (_target, key) => (key === "registerTool" ? register : ignore) });
  try {
    module.registerTools(recorder as ExtensionAPI, createFleetClient());
  } catch (error) {
    log.warn(`the tools of ${module.name} cannot be listed: ${messageOf(error)}`);
  }
  known.set(module, tools);
  return tools;
}
