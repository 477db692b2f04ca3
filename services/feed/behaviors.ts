import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { createFleetClient } from "../../src/core/client.js";
import type { FleetClient } from "../../src/core/types.js";

/** How long publishing may take before it is given up, in milliseconds. */
const patience = 2000;
/** Events on their way at most; when the server is slow, further ones are left out, failed tools first. */
const maxUnderWay = 8;
const maxToolsUnderWay = 4;

interface Ending {
  role?: string;
  stopReason?: string;
  errorMessage?: string;
}

function short(text: string): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/**
 * Publishes when an agent starts, ends and fails. No handler waits for the server: an agent is never slower for
 * it, whether the server is fast, hangs or is away.
 */
export function registerBehaviors(
  pi: ExtensionAPI,
  client: FleetClient,
  hasty: FleetClient = createFleetClient({ timeoutMs: patience }),
): void {
  let underWay = 0;
  let start: Promise<string | undefined> = Promise.resolve(undefined);
  let startedAt = 0;
  let failures = 0;

  const publish = async (type: string, content: string, more: object = {}): Promise<string | undefined> => {
    const most = type === "agent_tool_failed" ? maxToolsUnderWay : maxUnderWay;
    if (!client.getBaseUrl() || underWay >= most) return undefined;
    underWay++;
    try {
      const parentId = type === "agent_started" ? undefined : await start;
      const event = { type, source: client.agentName, content, parentId, ...more };
      return (await hasty.api<{ id?: string }>("POST", "/feed/events", event)).id;
    } catch {
      // The feed is a courtesy to others; that it is away must not concern the agent.
      return undefined;
    } finally {
      underWay--;
    }
  };

  pi.on("agent_start", () => {
    startedAt = performance.now();
    failures = 0;
    start = publish("agent_started", `${client.agentName} started working`, { role: client.agentRole });
  });

  pi.on("tool_execution_end", ({ toolName, isError }) => {
    if (!isError) return;
    failures++;
    void publish("agent_tool_failed", `${client.agentName}: ${short(toolName)} failed`, { tool: toolName });
  });

  pi.on("agent_end", ({ messages }) => {
    const last: Ending | undefined = messages.findLast((message: Ending) => message.role === "assistant");
    const more = { seconds: Math.round((performance.now() - startedAt) / 1000), toolFailures: failures };
    if (last?.stopReason === "error") {
      const reason = short(last.errorMessage ?? "unknown error");
      void publish("agent_failed", `${client.agentName} failed: ${reason}`, { ...more, error: reason });
    } else {
      const how = last?.stopReason === "aborted" ? "was stopped" : "finished";
      void publish("agent_finished", `${client.agentName} ${how}`, { ...more, stopReason: last?.stopReason });
    }
  });
}
