/** Part of every bundle: tools that run in the server, e.g. methods of plugins. */
import { messageOf } from "../../../core/errors.js";
import type { ServiceModule } from "../../../core/types.js";
import type { Unit } from "./loader.js";

/** The part of a provided tool that an agent needs. */
export interface RemoteTool {
  name: string;
  label: string;
  description: string;
  inputSchema: Record<string, unknown>;
}

/** The route that calls a tool by name. */
const CALL_PATH = "/extension/call";

/** How long a call may take, in milliseconds. Node and Bun abort requests without a reply after 300 s. */
const CALL_TIMEOUT_MS = 290_000;

/** A unit whose tools call the server. */
export function remoteUnit(name: string, tools: readonly RemoteTool[]): Unit {
  return { name, load: async () => ({ default: remoteService(name, tools) }) };
}

function remoteService(service: string, tools: readonly RemoteTool[]): ServiceModule {
  return {
    name: service,
    registerTools(pi, client) {
      for (const { name, label, description, inputSchema } of tools) {
        pi.registerTool({
          name,
          label,
          description,
          parameters: inputSchema as never,
          async execute(_toolCallId, input) {
            if (!client.getBaseUrl()) return client.noUrl();
            try {
              const call = { name, arguments: input };
              const { content } = await client.api("POST", CALL_PATH, call, { timeoutMs: CALL_TIMEOUT_MS });
              return { content, details: {} };
            } catch (error) {
              return client.err(messageOf(error));
            }
          },
        });
      }
    },
  };
}
