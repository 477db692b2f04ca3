import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import type { FleetClient } from "../../../src/core/types.js";
import type { Task } from "./task.js";

/** An agent must not wait for the board longer than this, in milliseconds. */
const PATIENCE_MS = 1500;

/**
 * Tells an agent, before it begins to work, which unfinished tasks are assigned to it, and again whenever that
 * has changed. An agent that cannot reach the board works on without.
 */
export function registerBehaviors(pi: ExtensionAPI, client: FleetClient, patienceMs = PATIENCE_MS): void {
  let told = "";

  pi.on("session_start", () => {
    told = "";
  });

  pi.on("before_agent_start", async () => {
    if (!client.getBaseUrl()) return;
    try {
      const content = await within(patienceMs, describeOwnTasks(client));
      if (content === undefined || content === told) return;
      told = content;
      const text = content || "You have no more unfinished tasks on the board.";
      return { message: { customType: "board", content: text, display: true } };
    } catch {
      // Saying so would disturb the agent's terminal; the board's tools report what is wrong when they are used.
      return;
    }
  });
}

async function describeOwnTasks(client: FleetClient): Promise<string> {
  const query = new URLSearchParams({ assignee: client.agentName });
  const { tasks } = await client.api<{ tasks: Task[] }>("GET", `/board/tasks?${query}`);
  const unfinished = tasks.filter(({ status }) => status !== "done" && status !== "in_review");
  if (unfinished.length === 0) return "";
  const lines = unfinished.map(({ id, title, status }) => `- ${title} (${status}, id ${id})`);
  return `Your tasks on the board:\n${lines.join("\n")}`;
}

/** Resolves with `undefined` when `promise` takes longer than `ms` milliseconds. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
