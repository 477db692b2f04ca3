import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { createFleetClient } from "../../src/core/client.js";
import { createTestHarness } from "../../src/core/testing.js";
import type { WireEvent } from "../../src/core/tree/wire.js";
import { registerBehaviors } from "./behaviors.js";
import feed from "./index.js";
import { registerTools } from "./tools.js";

const harness = await createTestHarness({ services: [feed] });
afterAll(() => harness.cleanup());

const env = { VERS_INFRA_URL: "http://reef", VERS_AUTH_TOKEN: "test-token", VERS_AGENT_NAME: "ann" };
const client = createFleetClient({ env, fetch: (url, init) => harness.fetch(url, withoutSignal(init)) });

function withoutSignal(init: RequestInit) {
  return {
    method: init.method,
    body: init.body ?? undefined,
    headers: init.headers as Record<string, string>,
  };
}

interface Tool {
  execute(id: string, params: object): Promise<{ content: { text: string }[]; details: { result?: never } }>;
}

/** What an agent gives to an extension, as far as the feed uses it. */
function agent() {
  const tools = new Map<string, Tool>();
  const handlers = new Map<string, (event: object) => unknown>();
  const pi = {
    registerTool: (tool: Tool & { name: string }) => tools.set(tool.name, tool),
    on: (event: string, handler: (event: object) => unknown) => handlers.set(event, handler),
  };
  return {
    pi: pi as unknown as ExtensionAPI,
    tools,
    fire: (event: string, data: object = {}) => handlers.get(event)?.({ type: event, ...data }),
  };
}

async function events(query = ""): Promise<WireEvent[]> {
  const { data } = await harness.json<{ events: WireEvent[] }>(`/feed/events${query}`, { auth: true });
  return data.events;
}

async function published(type: string, since: string): Promise<WireEvent> {
  for (;;) {
    const [event] = await events(`?type=${type}${since && `&since=${since}`}`);
    if (event) return event;
    await Bun.sleep(1);
  }
}

describe("tools", () => {
  const { pi, tools } = agent();
  registerTools(pi, client);
  const call = async (name: string, params: object = {}) => {
    const result = await tools.get(name)?.execute("1", params);
    return JSON.parse(result?.content[0]?.text ?? "null");
  };

  test("publish, list and show a thread", async () => {
    const root = await call("feed_publish", { type: "plan", content: "Plan made", metadata: { steps: 2 } });
    expect(root).toMatchObject({ source: "ann", content: "Plan made", metadata: { steps: 2 } });
    const step = await call("feed_publish", { type: "step", content: "Step done", parentId: root.id });
    expect((await call("feed_list", { type: "step" })).events).toEqual([step]);
    const thread = await call("feed_thread", { id: step.id });
    expect(thread).toMatchObject({ path: [root, step], complete: true, thread: [{ ...step, depth: 0 }] });
    expect((await call("feed_stats")).byType).toMatchObject({ plan: 1, step: 1 });
  });

  test("say what went wrong", async () => {
    const text = async (name: string, params: object) =>
      (await tools.get(name)?.execute("1", params))?.content[0]?.text;
    expect(await text("feed_publish", { type: "x", content: "y", parentId: "nope" })).toContain("(400)");
    expect(await text("feed_thread", { id: "../stats?" })).toContain("(404)");
  });

  test("explain that there is no control plane", async () => {
    const alone = agent();
    registerTools(alone.pi, createFleetClient({ env: {} }));
    const result = await alone.tools.get("feed_stats")?.execute("1", {});
    expect(result?.content[0]?.text).toContain("VERS_INFRA_URL");
  });
});

describe("an agent's life", () => {
  let since = "";
  beforeEach(async () => {
    since = (await events("?limit=1"))[0]?.id ?? "";
  });

  test("is published as a start with what follows below it", async () => {
    const { pi, fire } = agent();
    registerBehaviors(pi, client, client);
    fire("agent_start");
    fire("tool_execution_end", { toolName: "bash", isError: false, result: {} });
    fire("tool_execution_end", { toolName: "edit", isError: true, result: {} });
    fire("agent_end", { messages: [{ role: "assistant", stopReason: "stop" }] });
    const started = await published("agent_started", since);
    const failed = await published("agent_tool_failed", since);
    const finished = await published("agent_finished", since);
    expect(started).toMatchObject({ source: "ann", content: "ann started working", role: "worker" });
    expect(failed).toMatchObject({ parentId: started.id, tool: "edit" });
    expect(finished).toMatchObject({ parentId: started.id, toolFailures: 1, stopReason: "stop" });
  });

  test("ends with the reason when it fails", async () => {
    const { pi, fire } = agent();
    registerBehaviors(pi, client, client);
    fire("agent_start");
    fire("agent_end", {
      messages: [
        { role: "user" },
        { role: "assistant", stopReason: "error", errorMessage: "overloaded\nmore" },
      ],
    });
    expect(await published("agent_failed", since)).toMatchObject({
      content: "ann failed: overloaded",
      error: "overloaded",
    });
  });

  test("never waits for a server that does not answer, and holds back when too much is under way", () => {
    let calls = 0;
    const never = createFleetClient({
      env,
      fetch: () => {
        calls++;
        return new Promise(() => undefined);
      },
    });
    const { pi, fire } = agent();
    registerBehaviors(pi, client, never);
    expect(fire("agent_start")).toBeUndefined();
    for (let i = 0; i < 100; i++) {
      expect(fire("tool_execution_end", { toolName: "bash", isError: true })).toBeUndefined();
    }
    expect(fire("agent_end", { messages: [] })).toBeUndefined();
    expect(calls).toBeLessThanOrEqual(8);
  });

  test("costs nothing without a control plane, and nothing breaks when it refuses", async () => {
    const { pi, fire } = agent();
    let calls = 0;
    const refusing = createFleetClient({
      env,
      fetch: async () => {
        calls++;
        throw new Error("connection refused");
      },
    });
    registerBehaviors(pi, createFleetClient({ env: {} }), refusing);
    fire("agent_start");
    expect(calls).toBe(0);
    const other = agent();
    registerBehaviors(other.pi, client, refusing);
    other.fire("agent_start");
    other.fire("agent_end", { messages: [] });
    await Bun.sleep(0);
    expect(calls).toBeGreaterThan(0);
  });
});

test("the widget shows the latest events", async () => {
  await harness.fetch("/feed/events", {
    method: "POST",
    auth: true,
    body: { type: "x", source: "bob", content: "first line\nsecond line" },
  });
  expect((await feed.widget?.getLines(client))?.[0]).toBe("bob: first line");
});

test("a line of the widget names whom it is about once", async () => {
  const line = async (source: string, content: string) => {
    await harness.fetch("/feed/events", { method: "POST", auth: true, body: { type: "x", source, content } });
    return (await feed.widget?.getLines(client))?.[0];
  };
  expect(await line("ada", "ada: feed_thread failed")).toBe("ada: feed_thread failed");
  expect(await line("ada", "ada finished")).toBe("ada finished");
  expect(await line("ada", "ada")).toBe("ada");
  expect(await line("ada", "ada-2 is on it")).toBe("ada: ada-2 is on it");
  expect(await line("ada", "adamant")).toBe("ada: adamant");
});
