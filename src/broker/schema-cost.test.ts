import { afterAll, describe, expect, test } from "bun:test";
import { compileSchema, type JsonSchema } from "./schema.js";
import { failure, testBroker } from "./testing/fixtures.js";

const CODE = `export default { services: { main: {
  echo: ({ value }) => value,
  async fails() { throw Object.assign(new Error("mine"), { misfit: "invalid_input", code: "invalid_input" }); },
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

/** Whether the server answers while something else is under way. */
async function staysResponsive(work: Promise<unknown>): Promise<number> {
  let over = false;
  let slowest = 0;
  void work.finally(() => {
    over = true;
  });
  while (!over) {
    const before = performance.now();
    await Bun.sleep(5);
    slowest = Math.max(slowest, performance.now() - before);
  }
  return slowest;
}

describe("which schemas the server checks itself", () => {
  const cheap: [string, JsonSchema][] = [
    ["what most methods have", { type: "object", properties: { a: { type: "number" } }, required: ["a"] }],
    ["patterns that look at a text once", { type: "string", pattern: "^[a-z]+$" }],
    ["simple formats", { type: "string", format: "date-time" }],
    ["a few alternatives", { anyOf: [{ const: 1 }, { enum: ["a", "b"] }, { type: "null" }] }],
  ];
  test.each(cheap)("%s", (_name, schema) => {
    expect(compileSchema(schema).isCheap).toBe(true);
  });

  const dear: [string, JsonSchema][] = [
    ["patterns with parts that can match the same", ENDLESS],
    ["patterns for names", { patternProperties: { "^(a|a)*$": true } }],
    ["references, that can look twice at each value", { $ref: "#/$defs/a", $defs: { a: true } }],
    ["items that are compared with each other", { type: "array", uniqueItems: true }],
    ["formats that go back and forth", { type: "string", format: "uri-template" }],
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
    const slow = failure(call("slow-input", "echo", { value: TEXT }, 300));
    expect(await staysResponsive(slow)).toBeLessThan(2_000);
    expect(await slow).toMatchObject({ code: "timeout" });
    expect(await call("slow-input", "echo", { value: "aaa" })).toBe("aaa");
  });

  test("of an answer as well", async () => {
    const methods = { echo: { outputSchema: ENDLESS } };
    await tested.add({ id: "slow-output", methods, code: CODE });
    const slow = failure(call("slow-output", "echo", { value: TEXT }, 300));
    expect(await staysResponsive(slow)).toBeLessThan(2_000);
    expect(await slow).toMatchObject({ code: "timeout" });
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
    expect(error.message).toStartWith("the input of tree/main/echo does not fit: /value/children/0/name ");
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

test("many repeated items are refused in no time, if not each by its place", () => {
  const schema = compileSchema({ type: "array", uniqueItems: true });
  const items = Array.from({ length: 200_000 }, () => 0);
  expect(schema.issues(items)).toEqual([
    { path: "", message: expect.stringContaining("too long to say where") },
  ]);
  expect(schema.issues(items.map((_, index) => index))).toEqual([]);
});
