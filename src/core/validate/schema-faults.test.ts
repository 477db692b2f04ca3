import { expect, test } from "bun:test";
import { Compile } from "typebox/schema";
import { faultsOf } from "./schema-faults.js";

/** `path: message` of each fault. */
function faults(schema: object, value: unknown): string[] {
  const [, errors] = Compile(schema).Errors(value);
  return faultsOf(errors).map(({ path, message }) => `${path}: ${message}`);
}

const literals = (...values: unknown[]) => ({ anyOf: values.map((value) => ({ const: value })) });
const closed = { type: "object", properties: { a: {} }, additionalProperties: false };
const numbers = { type: "object", additionalProperties: { type: "number" } };
const nullable = { anyOf: [{ type: "string", maxLength: 3 }, { type: "null" }] };
const shape = { anyOf: [{ type: "string" }, { type: "object", properties: { kind: { const: "round" } } }] };

test.each<[string, object, unknown, string[]]>([
  ["allowed values", { enum: ["open", "done", 3] }, "shut", [': must be one of "open", "done", 3']],
  ["one allowed value", { const: { a: 1 } }, 1, [': must be {"a":1}']],
  ["two of them", literals("open", "done"), 1, [': must be "open" or "done"']],
  ["alternatives that are values", literals("a", "b", null), 1, [': must be one of "a", "b", null']],
  [
    "lists of values and a type",
    { oneOf: [{ enum: [1, 2] }, { type: "null" }] },
    "x",
    [": must be one of 1, 2, null"],
  ],
  ["alternative types", nullable, 5, [": must be string or null"]],
  ["several types", { type: ["string", "null"] }, 5, [": must be string or null"]],
  [
    "alternatives for other reasons",
    nullable,
    "long",
    [": must not have more than 3 characters or must be null"],
  ],
  [
    "alternatives that fail inside",
    shape,
    { kind: "square" },
    [": must be string", '/kind: must be "round"'],
  ],
  [
    "more than one that fits",
    { oneOf: [{}, { type: "string" }] },
    "a",
    [": must match exactly one schema in oneOf"],
  ],
  ["unknown properties", closed, { b: 1, "c/d": 2 }, ["/b: is not allowed", "/c~1d: is not allowed"]],
  ["further properties of the wrong type", numbers, { a: "x" }, ["/a: must be number"]],
  ["missing ones", { ...closed, required: ["a"] }, {}, [": must have required properties a"]],
  ["the same in two places", { items: { enum: ["a"] } }, ["b", "c"], ['/0: must be "a"', '/1: must be "a"']],
  ["a type", { type: "number" }, "5", [": must be number"]],
  ["nothing at all", { properties: { a: false } }, { a: 1 }, ["/a: is not allowed"]],
])("%s", (_what, schema, value, expected) => {
  expect(faults(schema, value)).toEqual(expected);
});

test("of many values the first are named", () => {
  const many = Array.from({ length: 100 }, (_, n) => n);
  expect(faults({ enum: many }, "x")[0]).toEndWith(" 18, 19 …");
  expect(faults(literals(...many), "x")).toEqual([expect.stringMatching(/must be one of 0, 1, .* …$/)]);
});
