import { expect, test } from "bun:test";
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { type TObject, Type } from "@sinclair/typebox";
import { Hono } from "hono";
import { createTestHarness } from "./testing.js";
import { createTestAgent } from "./testing-agent.js";
import type { ServiceModule } from "./types.js";

const echo: ServiceModule = {
  name: "echo",
  routes: new Hono().get("/", (c) => c.json({ agent: c.req.header("x-reef-agent-name") })),
  registerTools(pi, client) {
    pi.registerTool({
      name: "echo_who",
      label: "Echo: Who",
      description: "Says who asks.",
      parameters: Type.Object({ times: Type.Integer() }),
      async execute() {
        if (!client.getBaseUrl()) return client.noUrl();
        return client.ok((await client.api("GET", "/echo")).agent);
      },
    });
  },
  registerBehaviors(pi) {
    pi.on("agent_start", () => undefined);
    pi.on("before_agent_start", async ({ prompt }) => ({ systemPrompt: `heard ${prompt}` }));
  },
};

test("tools and behaviours reach the harness under the agent's name", async () => {
  const t = await createTestHarness({ services: [echo] });
  const agent = createTestAgent(t, [echo], { name: "ada" });
  expect([...agent.tools.keys()]).toEqual(["echo_who"]);
  expect(await agent.call("echo_who", { times: 1 })).toEqual({
    content: [{ type: "text", text: "ada" }],
    details: {},
  });
  expect(await agent.raise("before_agent_start", { prompt: "hello" })).toEqual([
    { systemPrompt: "heard hello" },
  ]);
  expect(await agent.raise("agent_end")).toEqual([]);
  await t.cleanup();
});

test("refuses unknown tools, wrong parameters and a name that is taken", async () => {
  const t = await createTestHarness({ services: [echo] });
  const agent = createTestAgent(t, [echo]);
  await expect(agent.call("echo_what")).rejects.toThrow(
    "there is no tool echo_what; registered tools: echo_who",
  );
  await expect(agent.call("echo_who", { times: "x" })).rejects.toThrow("times must be a whole number");
  expect(() => createTestAgent(t, [echo, echo])).toThrow("echo_who is already registered");
  await t.cleanup();
});

test.each([
  ["JSON", { type: "object", properties: { state: { enum: ["on", "off"] } }, required: ["state"] }],
  [
    "a TypeBox type that is not checked by TypeBox",
    Type.Object({ state: Type.Unsafe({ enum: ["on", "off"] }) }),
  ],
])("takes a tool whose schema is %s", async (_what, parameters) => {
  const t = await createTestHarness({ services: [echo] });
  const lamp: ServiceModule = {
    name: "lamp",
    registerTools(pi, client) {
      pi.registerTool({
        name: "lamp_switch",
        label: "Lamp",
        description: "Switches the lamp",
        parameters: parameters as TObject,
        execute: async (_id, params) => client.ok(JSON.stringify(params)),
      });
    },
  };
  const agent = createTestAgent(t, [lamp]);
  expect((await agent.call("lamp_switch", { state: "on" })).content[0]?.text).toBe('{"state":"on"}');
  await expect(agent.call("lamp_switch", { state: "dim" })).rejects.toThrow('state must be "on" or "off"');
  await expect(agent.call("lamp_switch")).rejects.toThrow("must have required properties state");
});

test("waits for what is registered after a while, and fails where that does", async () => {
  const late = (fails: boolean): ServiceModule => ({
    name: "late",
    registerTools: (async (...[pi, client]: Parameters<NonNullable<ServiceModule["registerTools"]>>) => {
      await Bun.sleep(0);
      if (fails) throw new Error("not today");
      echo.registerTools?.(pi, client);
    }) as ServiceModule["registerTools"],
  });
  const t = await createTestHarness({ services: [echo] });
  const agent = createTestAgent(t, [late(false)], { name: "ada" });
  expect((await agent.call("echo_who", { times: 1 })).content[0]?.text).toBe("ada");
  await expect(createTestAgent(t, [late(true)]).call("echo_who")).rejects.toThrow("not today");
  await t.cleanup();
});

test("can be without a control plane, or be given other answers", async () => {
  const t = await createTestHarness({ services: [echo] });
  const alone = createTestAgent(t, [echo], { connected: false });
  expect((await alone.call("echo_who", { times: 1 })).isError).toBe(true);
  const fetch = async () => Response.json({ agent: "somebody else" });
  const other = createTestAgent(t, [echo], { fetch });
  expect((await other.call("echo_who", { times: 1 })).content[0]?.text).toBe("somebody else");
  await t.cleanup();
});

test("hands on what else of pi a service uses, and the context that pi gives to handlers and tools", async () => {
  const heard: unknown[] = [];
  const module: ServiceModule = {
    name: "listener",
    registerTools(pi) {
      pi.registerTool({
        name: "listener_ask",
        label: "Listener: Ask",
        description: "Asks where there is somebody to ask.",
        parameters: Type.Object({}),
        execute: async (_id, _params, _signal, _onUpdate, { hasUI, cwd }) => ({
          content: [{ type: "text", text: hasUI ? cwd : "nobody" }],
          details: {},
        }),
      });
    },
    registerBehaviors(pi) {
      pi.events.on("other:extension", (data) => void heard.push(data));
      pi.on("session_start", (_event, { hasUI }) => void heard.push(hasUI));
    },
  };
  const t = await createTestHarness({ services: [module] });
  let send: (data: unknown) => void = () => undefined;
  const events: ExtensionAPI["events"] = {
    emit: () => undefined,
    on(_channel, handler) {
      send = handler;
      return () => undefined;
    },
  };
  const agent = createTestAgent(t, [module], { pi: { events }, context: { hasUI: true, cwd: "/here" } });
  send("news");
  await agent.raise("session_start");
  expect(heard).toEqual(["news", true]);
  expect((await agent.call("listener_ask")).content[0]?.text).toBe("/here");
  const headless = createTestAgent(t, [module], { pi: { events } });
  expect((await headless.call("listener_ask")).content[0]?.text).toBe("nobody");
  await t.cleanup();
});
