import { afterAll, describe, expect, test } from "bun:test";
import { compileSchema, type JsonSchema } from "../schema.js";
import { failure, testBroker } from "../testing/fixtures.js";
import { isLarge, MAX_SIZE } from "./cost.js";

const CODE = `export default { services: { main: {
  echo: ({ value }) => value,
  async fails() { throw Object.assign(new Error("mine"), { failedCheck: "invalid_input", code: "invalid_input" }); },
  date: () => ({ when: new Date(0), gone: undefined }),
  pid: () => process.pid,
} } };`;

/** Takes two to the power of its length for a text that does not fit. */
const ENDLESS = { type: "string", pattern: "^(a|a)*$" };
const TEXT = `${"a".repeat(60)}!`;
const takes = (schema: JsonSchema) => ({ inputSchema: { type: "object", properties: { value: schema } } });

const tested = testBroker({ pingTimeout: 100, crashLimit: 1_000, restartDelay: 1, maxRestartDelay: 1 });
afterAll(tested.close);
const call = (id: string, method: string, input: unknown = {}, timeout = 10_000) =>
  tested.broker.call(id, "main", method, input, { timeout });

/** How many turns the event loop takes beside some work, from before it begins. */
async function turnsBeside(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  await Bun.sleep(5);
  turns = 0;
  await work();
  clearInterval(turning);
  return turns;
}

describe("which schemas the server checks itself", () => {
  const cheap: [string, JsonSchema][] = [
    ["what most methods have", { type: "object", properties: { a: { type: "number" } }, required: ["a"] }],
    ["patterns that look at a text once", { type: "string", pattern: "^\\d{4}-[a-z]+$" }],
    ["simple formats", { type: "string", format: "date-time" }],
    ["a few alternatives", { anyOf: [{ const: 1 }, { enum: ["a", "b"] }, { type: "null" }] }],
  ];
  test.each(cheap)("%s", (_name, schema) => {
    expect(compileSchema(schema).isCheap).toBe(true);
  });

  const dear: [string, JsonSchema][] = [
    ["patterns with parts that can match the same", ENDLESS],
    ["patterns with several parts of no certain length", { pattern: "^\\w{0,2500}\\w{0,2500}-$" }],
    ["patterns with many parts that may be missing", { pattern: `^${"a?".repeat(30)}${"a".repeat(30)}$` }],
    ["patterns for names", { patternProperties: { "^(a|a)*$": true } }],
    ["references, that can look twice at each value", { $ref: "#/$defs/a", $defs: { a: true } }],
    ["items that are compared with each other", { type: "array", uniqueItems: true }],
    ["formats that go back and forth", { type: "string", format: "uri-template" }],
    ["formats that look long at each sign", { type: "string", format: "json-pointer" }],
    [
      "many alternatives",
      { items: { anyOf: Array.from({ length: 300 }, (_, index) => ({ const: index })) } },
    ],
    ["long lists", { items: { enum: Array.from({ length: 2_000 }, (_, index) => index) } }],
    ["what lies deep inside", { properties: { a: { items: { not: ENDLESS } } } }],
  ];
  test.each(dear)("not %s", (_name, schema) => {
    expect(compileSchema(schema).isCheap).toBe(false);
  });
});

describe("a schema whose check takes long", () => {
  test("of an input costs the plugin its worker, and the server nothing", async () => {
    await tested.add({ id: "slow-input", methods: { echo: takes(ENDLESS), pid: {} }, code: CODE });
    expect(await call("slow-input", "echo", { value: "aaa" })).toBe("aaa");
    const slow = () => failure(call("slow-input", "echo", { value: TEXT }, 300));
    // A check in the server would leave it none.
    expect(
      await turnsBeside(async () => expect(await slow()).toMatchObject({ code: "timeout" })),
    ).toBeGreaterThan(5);
    expect(await call("slow-input", "echo", { value: "aaa" })).toBe("aaa");
  });

  test("of an answer as well", async () => {
    const methods = { echo: { outputSchema: ENDLESS } };
    await tested.add({ id: "slow-output", methods, code: CODE });
    const slow = () => failure(call("slow-output", "echo", { value: TEXT }, 300));
    expect(
      await turnsBeside(async () => expect(await slow()).toMatchObject({ code: "timeout" })),
    ).toBeGreaterThan(5);
    expect(await call("slow-output", "echo", { value: "aaa" })).toBe("aaa");
  });
});

describe("a worker that checks", () => {
  const node = {
    type: "object",
    properties: { name: { type: "string" }, children: { items: { $ref: "#node" } } },
    required: ["name"],
  };
  const tree = { $anchor: "node", ...node };

  test("refuses an input with the same words and places as the server", async () => {
    await tested.add({ id: "tree", methods: { echo: takes(tree) }, code: CODE });
    expect(await call("tree", "echo", { value: { name: "a" } })).toEqual({ name: "a" });
    const before = tested.events.length;
    const value = { name: "a", children: [{ name: 1 }] };
    const error = await failure(call("tree", "echo", { value }));
    expect(error).toMatchObject({ code: "invalid_input", status: 400 });
    expect(error.message).toStartWith("invalid input for tree/main/echo: /value/children/0/name ");
    expect(error.details.issues?.[0]?.path).toBe("/value/children/0/name");
    expect(tested.events.slice(before).filter(({ type }) => type === "broker.call_failed")).toEqual([]);
  });

  test("refuses an answer with the places", async () => {
    const methods = { echo: { outputSchema: tree } };
    await tested.add({ id: "tree-output", methods, code: CODE });
    expect(await call("tree-output", "echo", { value: { name: "a" } })).toEqual({ name: "a" });
    const error = await failure(call("tree-output", "echo", { value: { children: [] } }));
    expect(error).toMatchObject({ code: "invalid_output", status: 502 });
    expect(error.details).toMatchObject({ method: "tree-output/main/echo", issues: [{ path: "" }] });
  });

  test("looks at an answer as it arrives", async () => {
    const when = { type: "string", pattern: "^(1970)-.*Z$" };
    const outputSchema = { type: "object", properties: { when }, additionalProperties: false };
    await tested.add({ id: "dates", methods: { date: { outputSchema } }, code: CODE });
    expect(await call("dates", "date")).toEqual({ when: "1970-01-01T00:00:00.000Z" });
  });

  test("does not take what a method throws for its own findings", async () => {
    await tested.add({ id: "pretends", methods: { fails: takes(tree) }, code: CODE });
    expect(await failure(call("pretends", "fails", {}))).toMatchObject({ code: "method_failed" });
  });
});

describe("a large value", () => {
  const cheap = { type: "object", properties: { value: { type: "array", items: { type: "number" } } } };
  const list = Array.from({ length: MAX_SIZE }, (_, index) => index);

  test("is checked by the worker, whatever its schema, and what does not fit is refused", async () => {
    const methods = { echo: { inputSchema: cheap } };
    await tested.add({ id: "large-input", methods, code: CODE });
    expect(await call("large-input", "echo", { value: list })).toEqual(list);
    const error = await failure(call("large-input", "echo", { value: [...list, "x"] }));
    expect(error).toMatchObject({
      code: "invalid_input",
      details: { issues: [{ path: `/value/${MAX_SIZE}` }] },
    });
  });

  test("that is answered as well", async () => {
    const methods = { echo: { outputSchema: { items: { type: "number" } } }, pid: { outputSchema: true } };
    await tested.add({ id: "large-output", methods, code: CODE });
    expect(await call("large-output", "echo", { value: list })).toEqual(list);
    const error = await failure(call("large-output", "echo", { value: [...list, "x"] }));
    expect(error).toMatchObject({ code: "invalid_output", details: { issues: [{ path: `/${MAX_SIZE}` }] } });
  });

  const inside: Record<string, unknown> = {};
  inside.self = inside;
  test.each<[string, unknown, boolean]>([
    ["a number", 1, false],
    ["nothing", undefined, false],
    ["a long text", "x".repeat(MAX_SIZE), true],
    ["a text that is just short enough", "x".repeat(MAX_SIZE - 1), false],
    ["many values", list, true],
    ["long names", { ["x".repeat(MAX_SIZE)]: 1 }, true],
    ["what holds itself", inside, true],
  ])("%s", (_what, value, is) => {
    expect(isLarge(value)).toBe(is);
  });

  test("has JSON of at least that length: what the server leaves to the worker, the worker checks", () => {
    for (const value of [
      list,
      "x".repeat(MAX_SIZE),
      { ["x".repeat(MAX_SIZE)]: [[[{}]]] },
      Array(MAX_SIZE).fill(""),
    ])
      expect(JSON.stringify(value).length).toBeGreaterThan(MAX_SIZE);
  });
});

test("many repeated items are refused in no time, if not each by its place", () => {
  const schema = compileSchema({ type: "array", uniqueItems: true });
  const items = Array.from({ length: 200_000 }, () => 0);
  expect(schema.issues(items)).toEqual([
    { path: "", message: expect.stringContaining("too long to report where") },
  ]);
  expect(schema.issues(items.map((_, index) => index))).toEqual([]);
});
