import { afterAll, afterEach, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { endSessions, installIn, withTool } from "../../../tests/support/client-half.js";
import { createFakePi } from "../../../tests/support/fake-pi.js";
import { createExtension } from "../extension.js";
import { wireNames } from "../tools/names.js";
import type { ServiceModule, ToolResult } from "../types.js";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: ({ url }) =>
    url.endsWith("/silent") ? new Promise<Response>(() => undefined) : Response.json({ ok: true }),
});
afterAll(() => server.stop(true));
afterEach(endSessions);
const env = { VERS_INFRA_URL: `http://127.0.0.1:${server.port}`, VERS_AGENT_NAME: "ada" };
const install = (modules: ServiceModule[]) => installIn(env, modules);

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
  [
    "an image of a type that models do not take",
    { content: [{ type: "image", data: "aGk=", mimeType: "image/svg+xml" }] },
    [
      {
        type: "text",
        text: "[Image cannot be shown: image/svg+xml is not one of image/jpeg, image/png, image/gif, image/webp]",
      },
    ],
  ],
  ...["", "no base64!", "data:image/png;base64,aGk=", "aGk"].map((data): [string, unknown, object[]] => [
    `an image with the data "${data}"`,
    { content: [{ type: "image", data, mimeType: "image/png" }] },
    [{ type: "text", text: "[Image cannot be shown: its data is not base64]" }],
  ]),
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

test("of what no model can bear it is shown the start, the end and how much is between them", async () => {
  const texts = (...parts: string[]) => ({ content: parts.map((text) => ({ type: "text", text })) });
  const image = { type: "image", data: "aGk=", mimeType: "image/png" };
  const { call } = install([
    withTool(
      "a",
      "a_long",
      () => async () => texts(`${"a".repeat(150_000)}${"🎉".repeat(50_000)}${"z".repeat(50_001)}`),
    ),
    withTool("b", "b_parts", () => async () => {
      const { content } = texts(
        "a".repeat(140_000),
        "b".repeat(20_000),
        "c".repeat(40_000),
        "d".repeat(45_000),
      );
      // Nobody reads the text of an image, which may be anything.
      return { content: [...content, image, { ...image, text: null }] };
    }),
    withTool("c", "c_error", (client) => async () => client.err("e".repeat(300_000))),
    withTool("d", "d_fits", () => async () => texts("a".repeat(199_999), "b")),
  ]);
  const note = (count: number) => `\n… ${count} characters omitted: request less at a time …\n`;
  const shown = async (name: string) => ((await call(name)) as ToolResult).content;
  expect((await shown("a_long"))[0]?.text).toBe(
    `${"a".repeat(150_000)}${note(100_001)}${"z".repeat(50_000)}`,
  );
  expect(await shown("b_parts")).toEqual([
    { type: "text", text: "a".repeat(140_000) },
    { type: "text", text: `${"b".repeat(10_000)}${note(45_000)}` },
    { type: "text", text: "c".repeat(5000) },
    { type: "text", text: "d".repeat(45_000) },
    image,
    { ...image, text: null },
  ] as never);
  const failure = (await call("c_error").catch((error: unknown) => error)) as Error;
  expect(failure.message.length).toBeLessThan(200_100);
  expect((await shown("d_fits")).map(({ text }) => text?.length)).toEqual([199_999, 1]);
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

test("a tool whose parameters are no schema is left out and named: its agent could ask no model any more", () => {
  const field = (schema: unknown) => ({ type: "object", properties: { x: schema } });
  const { tools, said } = install([
    withTool("a", "a_bad", (client) => async () => client.ok(""), field({ type: "text" })),
    withTool("b", "b_good", (client) => async () => client.ok(""), field({ type: "string" })),
  ]);
  expect([...tools.keys()]).toEqual(["b_good"]);
  expect(said.join()).toContain(
    'a: tool "a_bad" was skipped: its parameters are not a valid JSON Schema: properties.x.type',
  );
});

test("alternatives of parameters are seen by models as fields", () => {
  const schema = Type.Union([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })]);
  const { tools } = install([withTool("a", "a_work", (client) => async () => client.ok(""), schema)]);
  expect(tools.get("a_work")?.parameters).toEqual({
    type: "object",
    properties: { a: { type: "string" }, b: { type: "string" } },
  } as never);
});

test("of two tools with one name the first stays, and the other is named", async () => {
  const { call, said } = install([
    withTool("a", "same", (client) => async () => client.ok("first")),
    withTool("b", "same", (client) => async () => client.ok("second")),
  ]);
  expect(await call("same")).toMatchObject({ content: [{ text: "first" }] });
  expect(said).toEqual(['[reef] b: tool "same" was skipped: the name is already used by "a"']);
});

test("a malformed tool takes no name from a good one", async () => {
  const bad = { type: "object", properties: { x: { type: "text" } } };
  const { call, said } = install([
    withTool("a", "same", () => async () => "bad", bad),
    withTool("b", "same", (client) => async () => client.ok("good")),
  ]);
  expect(await call("same")).toMatchObject({ content: [{ text: "good" }] });
  expect(said).toEqual([
    expect.stringContaining('a: tool "same" was skipped: its parameters are not a valid JSON Schema'),
  ]);
});

test.each(["a", "z"])(
  "a service (%s) takes no tool from the one whose name it begins with",
  async (other) => {
    const services = ["board", other].map((name) =>
      withTool(name, "board_list", (client) => async () => client.ok(name)),
    );
    services.sort((one, two) => (one.name < two.name ? -1 : 1));
    const { call, said, tools } = install(services);
    expect(await call("board_list")).toMatchObject({ content: [{ text: "board" }] });
    expect(said).toEqual([
      `[reef] ${other}: tool "board_list" was skipped: the name is already used by "board"`,
    ]);
    expect(tools.size).toBe(1);
  },
);

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
