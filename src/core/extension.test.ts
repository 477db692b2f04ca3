import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { createFakePi, type FakePi } from "../../tests/support/fake-pi.js";
import { createExtension } from "./extension.js";
import { wireNames } from "./tool-names.js";
import type { FleetClient, ServiceModule, ToolResult } from "./types.js";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: ({ url }) =>
    url.endsWith("/silent") ? new Promise<Response>(() => undefined) : Response.json({ ok: true }),
});
afterAll(() => server.stop(true));
const env = { VERS_INFRA_URL: `http://127.0.0.1:${server.port}`, VERS_AGENT_NAME: "ada" };

type Execute = (params: never, signal: AbortSignal | undefined) => Promise<unknown>;

const withTool = (
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
// A widget asks for its lines until its session ends, and would do so in the middle of another file's tests.
afterEach(async () => {
  for (const { emit } of sessions.splice(0)) await emit("session_shutdown");
});

function install(modules: ServiceModule[], fake: FakePi = createFakePi(), more: Record<string, string> = {}) {
  const said: string[] = [];
  createExtension(modules, { env: { ...env, ...more }, warn: (line) => said.push(line) })(fake.pi);
  sessions.push(fake);
  return { ...fake, said };
}

describe("tools", () => {
  test("a result made with err or noUrl, or marked as an error, is thrown", async () => {
    const { call } = install([
      withTool("a", "a_err", (client) => async () => client.err("the disk is full")),
      withTool("b", "b_no_url", (client) => async () => client.noUrl()),
      withTool("c", "c_marked", () => async () => ({
        content: [{ type: "text", text: "bad" }],
        isError: true,
      })),
    ]);
    await expect(call("a_err")).rejects.toThrow(/^the disk is full$/);
    await expect(call("b_no_url")).rejects.toThrow("VERS_INFRA_URL is not set");
    await expect(call("c_marked")).rejects.toThrow(/^bad$/);
  });

  test("what a tool returns comes back whole, and as text where it was none", async () => {
    const { call } = install([
      withTool("a", "a_ok", (client) => async () => client.ok("fine", { id: 1 })),
      withTool("b", "b_text", () => async () => "just text"),
    ]);
    expect(await call("a_ok")).toEqual({ content: [{ type: "text", text: "fine" }], details: { id: 1 } });
    expect(await call("b_text")).toEqual({ content: [{ type: "text", text: "just text" }], details: {} });
  });

  test.each<[string, unknown, object[]]>([
    ["null", { content: [null] }, [{ type: "text", text: "null" }]],
    ["no text", { content: [{ type: "text", text: undefined }] }, [{ type: "text", text: "done" }]],
    ["an object", { content: [{ type: "text", text: { a: 1 } }] }, [{ type: "text", text: '{"a":1}' }]],
    ["of no kind", { content: [{ a: 1 }, "x"] }, ['{"a":1}', "x"].map((text) => ({ type: "text", text }))],
    ["nothing", { content: [] }, [{ type: "text", text: "done" }]],
    [
      "an image",
      { content: [{ type: "image", data: "aGk=", mimeType: "image/png" }] },
      [{ type: "image", data: "aGk=", mimeType: "image/png" }],
    ],
    ["an image without data", { content: [{ type: "image" }] }, [{ type: "text", text: '{"type":"image"}' }]],
  ])("content that is %s reaches the model as something it can read", async (_what, result, content) => {
    const said: unknown[] = [];
    const { call, tools } = install([withTool("a", "a_odd", () => async () => result)]);
    expect(await call("a_odd")).toEqual({ content, details: {} });
    const odd = withTool("b", "b_odd", () => async () => "");
    odd.registerTools = (pi) =>
      pi.registerTool({
        name: "b_odd",
        label: "",
        description: "",
        parameters: {} as never,
        async execute(_id, _params, _signal, onUpdate) {
          onUpdate?.(result as never);
          return result as never;
        },
      });
    const other = install([odd]);
    await other.tools.get("b_odd")?.execute("", {}, undefined, (part) => said.push(part), {} as never);
    expect(said).toEqual([{ content, details: {} }]);
    expect(tools.size).toBe(1);
  });

  test("details that cannot be kept are left out, and whatever is thrown has a message", async () => {
    const round: { self?: unknown } = {};
    round.self = round;
    const { call } = install([
      withTool("a", "a_round", (client) => async () => client.ok("fine", round)),
      withTool("b", "b_big", (client) => async () => client.ok("fine", { n: 1n })),
      withTool("c", "c_throws", () => () => Promise.reject({ code: 1 })),
      withTool("d", "d_err", (client) => async () => client.err({ code: 2 } as never)),
    ]);
    for (const name of ["a_round", "b_big"]) {
      expect(await call(name)).toEqual({ content: [{ type: "text", text: "fine" }], details: {} });
    }
    await expect(call("c_throws")).rejects.toThrow(/^\{"code":1\}$/);
    await expect(call("d_err")).rejects.toThrow(/^\{"code":2\}$/);
  });

  test("schemas lose what keeps pi from reading numbers written as text", () => {
    const schema = Type.Object({ n: Type.Number(), o: Type.Optional(Type.String()) });
    const { tools } = install([withTool("a", "a_work", (client) => async () => client.ok(""), schema)]);
    const parameters = tools.get("a_work")?.parameters as object;
    expect(parameters).toEqual({
      type: "object",
      required: ["n"],
      properties: { n: { type: "number" }, o: { type: "string" } },
    } as never);
    expect(Object.getOwnPropertySymbols(parameters)).toEqual([]);
  });

  test("of two tools with one name the first stays, and the other is named", async () => {
    const { call, said } = install([
      withTool("a", "same", (client) => async () => client.ok("first")),
      withTool("b", "same", (client) => async () => client.ok("second")),
    ]);
    expect(await call("same")).toMatchObject({ content: [{ text: "first" }] });
    expect(said).toEqual(['[reef] b: tool "same" was left out: the name is taken by "a"']);
  });

  test("names that providers refuse go by another one", () => {
    const { tools } = install([withTool("a", "a.b c", (client) => async () => client.ok(""))]);
    expect([...tools.keys()]).toEqual(["a_b_c"]);
  });

  test("a name and another one's spelling of it are two tools, whichever comes first", async () => {
    const services = ["a.b", "a_b", "c.d", "c:d"].map((name) =>
      withTool(name, name, (client) => async () => client.ok(name)),
    );
    const names = [...wireNames(["a.b", "a_b", "c.d", "c:d"]).values()].toSorted();
    expect([...install(services).tools.keys()].toSorted()).toEqual(names);
    expect([...install(services.toReversed()).tools.keys()].toSorted()).toEqual(names);
  });

  test("what is registered later takes nobody's name", async () => {
    const late: ServiceModule = {
      name: "late",
      registerBehaviors: (pi, client) =>
        pi.on("session_start", () => {
          for (const name of ["a_b", "c:d", "c_d"])
            withTool(name, name, () => async () => client.ok(name)).registerTools(pi, client);
        }),
    };
    const early = ["a.b", "c.d"].map((name) => withTool(name, name, (client) => async () => client.ok(name)));
    const { tools, emit, call, said } = install([...early, late]);
    await emit("session_start");
    expect(said).toEqual([]);
    expect(tools.size).toBe(5);
    expect(await call("a_b")).toMatchObject({ content: [{ text: "a.b" }] });
    expect(await call("c_d")).toMatchObject({ content: [{ text: "c.d" }] });
  });

  test("names that were chosen before are kept", () => {
    const fake = createFakePi();
    const module = withTool("a", "a.b", (client) => async () => client.ok(""));
    createExtension([module], { env, wireNames: { "a.b": "a_b_chosen" } })(fake.pi);
    expect([...fake.tools.keys()]).toEqual(["a_b_chosen"]);
  });

  test("calls to the control plane end when the agent aborts the tool", async () => {
    const { call } = install([
      withTool("a", "a_wait", (client) => async () => client.ok(await client.api("GET", "/silent"))),
    ]);
    const controller = new AbortController();
    const calling = call("a_wait", {}, controller.signal);
    controller.abort();
    await expect(calling).rejects.toThrow("aborted");
  });

  test("a tool that takes no notice of an abort is not waited for, one that has a last word is", async () => {
    const { call } = install([
      withTool("a", "a_deaf", () => () => new Promise(() => undefined)),
      withTool("b", "b_polite", (client) => async (_params, signal) => {
        await new Promise((resolve) => signal?.addEventListener("abort", resolve));
        return client.ok("half done");
      }),
    ]);
    const controller = new AbortController();
    const deaf = call("a_deaf", {}, controller.signal);
    const polite = call("b_polite", {}, controller.signal);
    controller.abort();
    await expect(deaf).rejects.toThrow("aborted");
    expect(await polite).toMatchObject({ content: [{ text: "half done" }] });
    await expect(call("a_deaf", {}, controller.signal)).rejects.toThrow("aborted");
  });
});

describe("containment", () => {
  test("a service that throws while it registers keeps what it had, and costs the others nothing", async () => {
    const half: ServiceModule = {
      name: "half",
      registerTools(pi, client) {
        withTool("half", "half_work", () => async () => client.ok("half")).registerTools(pi, client);
        throw new Error("oops");
      },
    };
    const { tools, said } = install([half, withTool("b", "b_work", (client) => async () => client.ok(""))]);
    expect([...tools.keys()]).toEqual(["half_work", "b_work"]);
    expect(said).toEqual(["[reef] half, registerTools: oops"]);
  });

  test("handlers that throw are reported once, with service and event", async () => {
    const { emit, said } = install([
      {
        name: "a",
        registerBehaviors(pi) {
          pi.on("turn_end", () => {
            throw new Error("sync");
          });
          pi.on("turn_end", async () => {
            throw new Error("async");
          });
          pi.on("before_agent_start", () => {
            throw new Error("answer");
          });
        },
      },
    ]);
    await emit("turn_end");
    await emit("turn_end");
    expect(await emit("before_agent_start")).toEqual([undefined]);
    expect(said).toEqual([
      "[reef] a, on turn_end: sync",
      "[reef] a, on turn_end: async",
      "[reef] a, on before_agent_start: answer",
    ]);
  });

  test("an answer that the agent uses gets through", async () => {
    const message = { message: { customType: "a", content: "hello", display: true } };
    const { emit } = install([
      { name: "a", registerBehaviors: (pi) => pi.on("before_agent_start", async () => message) },
    ]);
    expect(await emit("before_agent_start")).toEqual([message]);
  });

  test("handlers that never end hold an event up once, and the next ones not at all", async () => {
    const started: string[] = [];
    const hanging = (name: string): ServiceModule => ({
      name,
      registerBehaviors(pi) {
        pi.on("session_start", () => {
          started.push(name);
          return new Promise<never>(() => undefined);
        });
      },
    });
    const { emit } = install(["a", "b", "c", "d"].map(hanging));
    const before = performance.now();
    await emit("session_start");
    // Four of them share one budget; each by itself would take as long.
    expect(performance.now() - before).toBeLessThan(1000);
    expect(started).toEqual(["a", "b", "c", "d"]);
  });

  test("a service's later handler waits for its earlier one, so that an end is not told before its start", async () => {
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const { emit } = install([
      {
        name: "a",
        registerBehaviors(pi) {
          pi.on("agent_start", async () => {
            await gate.promise;
            order.push("start");
          });
          pi.on("agent_end", () => void order.push("end"));
        },
      },
    ]);
    await emit("agent_start");
    await emit("agent_end");
    expect(order).toEqual([]);
    gate.resolve();
    await emit("agent_end");
    expect(order.slice(0, 2)).toEqual(["start", "end"]);
  });
});

describe("the widget", () => {
  const shows = (name: string, ...lines: string[]): ServiceModule => ({
    name,
    widget: { getLines: async () => lines },
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

  test("has a header with the control plane's address, then each service's lines in their order", async () => {
    const { emit, widgets } = install([shows("a", "a1", "a2"), shows("b", "b1")]);
    await emit("session_start");
    await settle();
    expect(widgets.at(-1)).toEqual([`Reef ${env.VERS_INFRA_URL}`, "a1", "a2", "b1"]);
  });

  test("a widget that fails or writes control characters costs and harms nothing", async () => {
    const bad: ServiceModule = {
      name: "bad",
      widget: { getLines: () => Promise.reject(new Error("no lines")) },
    };
    const { emit, widgets, notifications } = install([bad, shows("b", "\u001b[31mred\u0007\nline")]);
    await emit("session_start");
    await settle();
    expect(widgets.at(-1)).toEqual([`Reef ${env.VERS_INFRA_URL}`, " red  line"]);
    expect(notifications).toEqual(["[reef] bad, widget: no lines"]);
  });

  test("a context that went stale is let go without an error", async () => {
    let asked = 0;
    const fake = createFakePi();
    const { emit, widgets, said } = install(
      [{ name: "a", widget: { getLines: async () => [`${++asked}`] } }],
      fake,
    );
    await emit("session_start");
    await settle();
    const shown = widgets.length;
    fake.invalidate();
    await emit("agent_end");
    await settle();
    await emit("agent_end");
    await settle();
    expect(asked).toBe(2);
    expect(widgets.length).toBe(shown);
    expect(said).toEqual([]);
  });

  test("lines that come after the end of the session are not shown", async () => {
    const gate = Promise.withResolvers<string[]>();
    const { emit, widgets } = install([{ name: "a", widget: { getLines: () => gate.promise } }]);
    await emit("session_start");
    await emit("session_shutdown");
    gate.resolve(["late"]);
    await settle();
    expect(widgets).toEqual([[`Reef ${env.VERS_INFRA_URL}`]]);
  });

  test("without a terminal nobody is asked for lines", async () => {
    let asked = 0;
    const module: ServiceModule = { name: "a", widget: { getLines: async () => [`${++asked}`] } };
    const { emit } = install([module], createFakePi({ hasUI: false }));
    await emit("session_start");
    expect(asked).toBe(0);
  });
});

describe("installed twice", () => {
  const module = withTool("a", "a_work", (client) => async () => client.ok(""));
  const load = (events: object, origin?: string) => {
    const fake = createFakePi({ events });
    const said: string[] = [];
    createExtension([module], { env, origin, warn: (line) => said.push(line) })(fake.pi);
    return { ...fake, said };
  };

  test("the second copy stands down and says so", () => {
    const session = {};
    expect(load(session, "file:///one.js").tools.size).toBe(1);
    const second = load(session, "file:///two.js");
    expect(second.tools.size).toBe(0);
    expect(second.said).toEqual(["[reef] is already installed in this agent; this copy stands down."]);
    expect(load({}, "file:///two.js").tools.size, "another session").toBe(1);
  });

  test("copies that do not say where they are from are two", () => {
    const session = {};
    expect([load(session).tools.size, load(session).tools.size]).toEqual([1, 0]);
  });

  test("the same file may be loaded again, and any after the session's end", async () => {
    const session = {};
    const first = load(session, "file:///one.js");
    expect(load(session, "file:///one.js").tools.size).toBe(1);
    await first.emit("session_shutdown");
    const again = load(session, "file:///one.js");
    await again.emit("session_shutdown");
    expect(load(session, "file:///two.js").tools.size).toBe(1);
  });
});

describe("choosing services", () => {
  const services = [
    withTool("board", "board_work", (client) => async () => client.ok("")),
    { ...withTool("deploys", "deploys_work", (client) => async () => client.ok("")), capabilities: ["ops"] },
    {
      ...withTool("tests", "tests_work", (client) => async () => client.ok("")),
      capabilities: ["dev", "ops"],
    },
  ];
  test.each([
    [{}, ["board", "deploys", "tests"]],
    [{ REEF_CATEGORY: "dev" }, ["board", "tests"]],
    [{ REEF_CATEGORY: "ops" }, ["board", "deploys", "tests"]],
    [{ REEF_SERVICES: "deploys, board" }, ["board", "deploys"]],
    [{ REEF_SERVICES: "deploys", REEF_CATEGORY: "dev" }, ["deploys"]],
    [{ REEF_SERVICES: "" }, ["board", "deploys", "tests"]],
    [{ REEF_SERVICES: " , ", REEF_CATEGORY: "dev" }, ["board", "tests"]],
  ])("%j", (more: Record<string, string>, names) => {
    const { tools } = install(services, createFakePi(), more);
    expect([...tools.keys()]).toEqual(names.map((name) => `${name}_work`));
  });
});
