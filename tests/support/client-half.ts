/** Client halves of services, installed in an agent that is none. */
import { Type } from "@sinclair/typebox";
import { createExtension } from "../../src/core/extension.js";
import type { FleetClient, ServiceModule, ToolResult } from "../../src/core/types.js";
import { createFakePi, type FakePi } from "./fake-pi.js";

type Execute = (params: never, signal: AbortSignal | undefined) => Promise<unknown>;

/** A service with one tool. */
export const withTool = (
  name: string,
  tool: string,
  execute: (client: FleetClient) => Execute,
  parameters?: object,
) =>
  ({
    name,
    registerTools(pi, client) {
      pi.registerTool({
        name: tool,
        label: tool,
        description: tool,
        parameters: (parameters ?? Type.Object({})) as never,
        execute: (_id, params, signal) => execute(client)(params as never, signal) as Promise<ToolResult>,
      });
    },
  }) satisfies ServiceModule;

const sessions: FakePi[] = [];

/** The agent with these services, and what it was told of them. */
export function installIn(
  env: Record<string, string>,
  modules: ServiceModule[],
  fake: FakePi = createFakePi(),
): FakePi & { said: string[] } {
  const said: string[] = [];
  createExtension(modules, { env, warn: (line) => said.push(line) })(fake.pi);
  sessions.push(fake);
  return { ...fake, said };
}

/** A widget asks for its lines until its session ends, and would do so in the middle of another file's tests. */
export async function endSessions(): Promise<void> {
  for (const { emit } of sessions.splice(0)) await emit("session_shutdown");
}
