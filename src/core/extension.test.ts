import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { endSessions, installIn, withTool } from "../../tests/support/client-half.js";
import { createFakePi, type FakePi } from "../../tests/support/fake-pi.js";
import { createExtension } from "./extension.js";
import type { ServiceModule } from "./types.js";

const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json({ ok: true }) });
afterAll(() => server.stop(true));
afterEach(endSessions);
const env = { VERS_INFRA_URL: `http://127.0.0.1:${server.port}`, VERS_AGENT_NAME: "ada" };
const install = (modules: ServiceModule[], fake?: FakePi, more: Record<string, string> = {}) =>
  installIn({ ...env, ...more }, modules, fake);

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
    expect(second.said).toEqual(["[reef] is already installed in this agent; this copy is not used."]);
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
