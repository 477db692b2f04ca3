import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { fieldsOfSchema, proseOfSchema, schemaOfFields, schemaOfProse } from "./prose.js";

describe("schemaOfProse", () => {
  test.each([
    ["string", { type: "string" }],
    ["String (ISO 8601)", { type: "string" }],
    ["integer", { type: "integer" }],
    ["string[]", { type: "array", items: { type: "string" } }],
    ['"open" | "done"', { enum: ["open", "done"] }],
    ["'a|b' | 'c'", { enum: ["a|b", "c"] }],
    ["string | null", { anyOf: [{ type: "string" }, { type: "null" }] }],
    ["(string | number)[]", { type: "array", items: { anyOf: [{ type: "string" }, { type: "number" }] } }],
    ["Array<boolean>", { type: "array", items: { type: "boolean" } }],
    ["array of number", { type: "array", items: { type: "number" } }],
    ["Record<string, number>", { type: "object", additionalProperties: { type: "number" } }],
    ["{ type, url, label? }[]", { type: "array", items: { type: "object" } }],
    ["1 | 2", { enum: [1, 2] }],
    ["something else", {}],
    ["", {}],
    ["constructor", {}],
  ])("%s", (type, schema) => {
    expect(schemaOfProse(type)).toEqual(schema);
  });

  test("does not trip over unbalanced text", () => {
    for (const text of ["(((", "[][]", '"', "|||", "<", "a | (b"]) expect(schemaOfProse(text)).toBeObject();
  });
});

test("schemas are told in words", () => {
  const words = (schema: object) => proseOfSchema(JSON.parse(JSON.stringify(schema)));
  expect(words(Type.Union([Type.Literal("a"), Type.Literal("b")]))).toBe('"a" | "b"');
  expect(words(Type.Array(Type.Union([Type.String(), Type.Null()])))).toBe("(string | null)[]");
  expect(words(Type.Object({}))).toBe("object");
  expect(words(Type.Unknown())).toBe("any");
});

test("fields become a schema and come back", () => {
  const fields = {
    name: { type: "string", required: true, description: "Who" },
    tags: { type: "string[]", required: false, description: "" },
  };
  expect(fieldsOfSchema(schemaOfFields(fields))).toEqual(fields);
});
