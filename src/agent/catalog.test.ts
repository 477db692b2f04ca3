import { afterEach, describe, expect, test } from "bun:test";
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { Type } from "@sinclair/typebox";
import { eventually } from "../../tests/support/sandbox.js";
import { ReefError } from "../core/errors.js";
import { createTestHarness, type TestHarness } from "../core/testing.js";
import type { ServiceModule, ToolAnnotations } from "../core/types.js";
import { describeTools, ToolCatalog } from "./catalog.js";

let t: TestHarness | undefined;
afterEach(() => t?.cleanup());

async function catalogOf(...services: ServiceModule[]): Promise<ToolCatalog> {
  t = await createTestHarness({ services });
  return new ToolCatalog(t.server.ctx);
}

const register = (pi: ExtensionAPI, name: string) =>
  pi.registerTool({
    name,
    label: `Label of ${name}`,
    description: `Does ${name}`,
    parameters: Type.Object({ n: Type.Optional(Type.Number({ description: "How many" })) }),
    execute: async () => ({ content: [], details: {} }),
  });

const service = (
  name: string,
  tools: string[],
  toolAnnotations?: Record<string, ToolAnnotations>,
): ServiceModule => ({
  name,
  toolAnnotations,
  registerTools: (pi) => {
    for (const tool of tools) register(pi, tool);
  },
});

const provider = (name: string, ...tools: string[]): ServiceModule => ({
  name,
  toolProvider: {
    listTools: () =>
      tools.map((tool) => ({
        name: tool,
        description: "",
        inputSchema: { type: "object" },
        owner: "com.example",
      })),
    callTool: async () => undefined,
  },
});

describe("the catalogue", () => {
  test("has everything that there is to know about a tool", async () => {
    await catalogOf(
      service("log", ["log_append"], { log_append: { idempotent: true } }),
      provider("broker", "plugin__com.example.x__m__get"),
    );
    expect(describeTools((t as TestHarness).server.ctx)).toEqual({
      tools: [
        {
          name: "plugin__com.example.x__m__get",
          wireName: "plugin__com_example_x__m__get",
          label: "plugin__com.example.x__m__get",
          description: "",
          inputSchema: { type: "object" },
          owner: { plugin: "com.example", via: "broker" },
          annotations: { readOnly: true, destructive: false, idempotent: true },
        },
        {
          name: "log_append",
          wireName: "log_append",
          label: "Label of log_append",
          description: "Does log_append",
          inputSchema: { type: "object", properties: { n: { type: "number", description: "How many" } } },
          owner: { service: "log" },
          annotations: { readOnly: false, destructive: false, idempotent: true },
        },
      ],
      problems: [],
      count: 2,
    });
  });

  test("names collisions, names out of line and services that throw; and has the rest", async () => {
    const half: ServiceModule = {
      name: "half",
      registerTools: (pi) => {
        register(pi, "half_work");
        throw new Error("oops");
      },
    };
    const catalog = await catalogOf(service("b", ["b_work", "other_work"]), service("a", ["b_work"]), half);
    const { tools, problems } = catalog.list();
    expect(tools.map(({ name, owner }) => [name, owner])).toEqual([
      ["b_work", { service: "b" }],
      ["other_work", { service: "b" }],
      ["half_work", { service: "half" }],
    ]);
    expect(problems).toEqual([
      { service: "a", tool: "b_work", error: expect.stringContaining('start with "a_"') },
      { service: "a", tool: "b_work", error: expect.stringContaining('already used by "b"') },
      { service: "b", tool: "other_work", error: expect.stringContaining('start with "b_"') },
      { service: "half", error: "registerTools threw: oops" },
    ]);
  });

  test("of two tools with one name the one whose service it begins with is listed, of equals the first by service", async () => {
    const catalog = await catalogOf(
      service("a", ["c_d_work", "shared"]),
      service("c", ["c_d_work", "shared"]),
      service("c_d", ["c_d_work"]),
      provider("broker", "plugin__x__m__get"),
      service("plugin", ["plugin__x__m__get"]),
    );
    const { tools, problems } = catalog.list();
    expect(tools.map(({ name, owner }) => [name, "via" in owner ? owner.via : owner.service])).toEqual([
      ["shared", "a"],
      ["plugin__x__m__get", "broker"],
      ["c_d_work", "c_d"],
    ]);
    const taken = problems.filter(({ error }) => error.includes("already used by"));
    expect(taken.map(({ service, error }) => [service, error.split(";")[0]])).toEqual([
      ["a", 'the name is already used by "c_d"'],
      ["c", 'the name is already used by "c_d"'],
      ["c", 'the name is already used by "a"'],
      ["plugin", 'the name is already used by "com.example"'],
    ]);
  });

  test("tools that are registered after a while are listed from then on, and until then it is said that they come", async () => {
    const gate = Promise.withResolvers<void>();
    const late: ServiceModule = {
      name: "late",
      registerTools: (async (pi: ExtensionAPI) => {
        register(pi, "late_early");
        await gate.promise;
        register(pi, "late_work");
        throw new Error("oops");
      }) as never,
    };
    const catalog = await catalogOf(late);
    expect(catalog.list().tools.map(({ name }) => name)).toEqual(["late_early"]);
    expect(catalog.list().problems).toEqual([
      { service: "late", error: expect.stringContaining("registerTools has not finished") },
    ]);
    gate.resolve();
    await eventually(() => catalog.list().tools.length === 2);
    expect(catalog.list().problems).toEqual([{ service: "late", error: "registerTools threw: oops" }]);
  });

  test("finds a tool by either name, and says where to look when there is none", async () => {
    const catalog = await catalogOf(provider("broker", "plugin__a.b__c__d", "plugin__a_b__c__d"));
    const dotted = await catalog.get("plugin__a.b__c__d");
    expect(dotted.wireName).toMatch(/^plugin__a_b__c__d_[0-9a-f]{8}$/);
    expect(await catalog.get(dotted.wireName)).toEqual(dotted);
    expect((await catalog.get("plugin__a_b__c__d")).name).toBe("plugin__a_b__c__d");
    await expect(catalog.get("nothing")).rejects.toThrow("/services/tools");
  });

  test("a tool whose parameters are no schema is left out and named; those beside it stay", async () => {
    const malformed = { type: "object", properties: { x: { type: "string", required: true } } };
    const broken: ServiceModule = {
      name: "broker",
      registerTools: (pi) => {
        const tool = { label: "", description: "", execute: async () => ({ content: [], details: {} }) };
        pi.registerTool({ ...tool, name: "broker_bad", parameters: malformed as never });
        register(pi, "broker_good");
      },
      toolProvider: {
        listTools: () =>
          [malformed, { type: "object" }].map((inputSchema, i) => ({
            name: `plugin__x__m__${i}`,
            description: "",
            inputSchema,
            owner: "x",
          })),
        callTool: async () => undefined,
      },
    };
    const { tools, problems } = (await catalogOf(broken)).list();
    expect(tools.map(({ name }) => name)).toEqual(["broker_good", "plugin__x__m__1"]);
    const error = expect.stringContaining("properties.x.required must be a list of strings");
    expect(problems).toEqual([
      { service: "broker", tool: "broker_bad", error },
      { service: "broker", tool: "plugin__x__m__0", error },
    ]);
  });

  test("a provided tool that is none is left out and named; those beside it stay", async () => {
    const tools = [null, {}, { name: 5 }, { name: "p__x__odd", label: 7, description: 7, owner: {} }];
    const broken = {
      ...provider("broker"),
      toolProvider: {
        listTools: () => [...tools, { name: "p__x__get", inputSchema: {}, owner: "x", description: "Gets" }],
        callTool: async () => undefined,
      },
    } as unknown as ServiceModule;
    const catalog = (await catalogOf(broken)).list();
    expect(catalog.tools).toMatchObject([
      { name: "p__x__odd", label: "p__x__odd", description: "", owner: { plugin: "broker", via: "broker" } },
      { name: "p__x__get", description: "Gets" },
    ]);
    const problem = { service: "broker", error: "a tool needs a name" };
    expect(catalog.problems).toEqual([problem, problem, problem]);
  });

  test("a description is as long as a model can bear", async () => {
    const { tools } = (
      await catalogOf({
        name: "long",
        registerTools: (pi) => {
          register(pi, "long_work");
          register(pi, `long_${"w".repeat(30_000)}`);
        },
      })
    ).list();
    expect(tools[0]?.description).toBe("Does long_work");
    expect(tools[1]?.description).toHaveLength(10_000);
    expect(tools[1]?.description).toEndWith("… (30010 characters)");
  });

  test("a service that cannot be asked at this moment is asked again", () => {
    const module = service("log", ["log_append"]);
    let isBusy = true;
    const run = (_name: string, fn: (running: ServiceModule) => unknown) => {
      if (isBusy) throw new ReefError("BUSY");
      return fn(module);
    };
    const catalog = new ToolCatalog({ getModules: () => [module], registry: { run } } as never);
    expect(catalog.list().problems).toEqual([{ service: "log", error: expect.any(String) }]);
    isBusy = false;
    expect(catalog.list()).toMatchObject({ tools: [{ name: "log_append" }], problems: [] });
  });

  test("a provider that is being exchanged still has the tools that it had", () => {
    const module = provider("broker", "plugin__x__m__get");
    let isBusy = false;
    const run = (_name: string, fn: (running: ServiceModule) => unknown) => {
      if (isBusy) throw new ReefError("BUSY");
      return fn(module);
    };
    const catalog = new ToolCatalog({ getModules: () => [module], registry: { run } } as never);
    const before = catalog.list();
    isBusy = true;
    expect(catalog.list()).toEqual(before);
    expect(before.tools.map(({ name }) => name)).toEqual(["plugin__x__m__get"]);
  });

  test("a provider that throws is a problem of its own", async () => {
    const broken = {
      ...provider("broker"),
      toolProvider: {
        listTools: () => {
          throw new Error("no list");
        },
        callTool: async () => undefined,
      },
    };
    const catalog = await catalogOf(broken, service("log", ["log_append"]));
    expect(catalog.list()).toMatchObject({
      tools: [{ name: "log_append" }],
      problems: [{ service: "broker", error: "listTools threw: no list" }],
    });
  });
});
