import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { modelSchema } from "./model-schema.js";
import { plainSchema } from "./schema.js";

const seen = (schema: unknown) => modelSchema(plainSchema(schema));

test("an object's schema is seen as it is, alternatives of its fields too", () => {
  const schema = plainSchema(Type.Object({ x: Type.Union([Type.Literal("a"), Type.Literal("b")]) }));
  expect(modelSchema(schema)).toEqual(schema);
  expect(seen({})).toEqual({ type: "object", properties: {} });
});

test("of alternatives all fields are seen, and those required that all of them require", () => {
  const circle = Type.Object({ kind: Type.Literal("circle"), r: Type.Number(), color: Type.String() });
  const square = Type.Object({ kind: Type.Literal("square"), a: Type.Number(), color: Type.String() });
  expect(seen(Type.Union([circle, square]))).toEqual({
    type: "object",
    properties: {
      kind: {
        anyOf: [
          { type: "string", const: "circle" },
          { type: "string", const: "square" },
        ],
      },
      r: { type: "number" },
      color: { type: "string" },
      a: { type: "number" },
    },
    required: ["kind", "color"],
  });
});

test("of parts all fields are seen, and all that one of them requires", () => {
  const a = Type.Object({ a: Type.String() });
  const rest = Type.Union([
    Type.Object({ b: Type.String() }),
    Type.Object({ c: Type.Optional(Type.String()) }),
  ]);
  expect(seen(Type.Intersect([a, rest], { description: "Both" }))).toEqual({
    type: "object",
    description: "Both",
    properties: { a: { type: "string" }, b: { type: "string" }, c: { type: "string" } },
    required: ["a"],
  });
});

test("conditions beside the fields are left to the tool", () => {
  const schema = {
    type: "object",
    properties: { a: { type: "string" }, b: { type: "string" } },
    oneOf: [{ required: ["a"] }, { required: ["b"] }],
    not: { required: ["a", "b"] },
    if: { required: ["a"] },
    additionalProperties: false,
  };
  const { properties } = schema;
  expect(seen(schema)).toEqual({ type: "object", properties, additionalProperties: false });
});

test("alternatives that stand elsewhere in the schema are followed, also in circles", () => {
  const schema = {
    oneOf: [
      { $ref: "#/$defs/a" },
      { $ref: "#/$defs/b~1c" },
      { $ref: "#/$defs/nowhere" },
      { $ref: "http://x" },
    ],
    $defs: {
      a: {
        type: "object",
        properties: { a: { type: "string" }, more: { $ref: "#" } },
        allOf: [{ $ref: "#" }],
      },
      "b/c": { type: "object", properties: { b: { type: "number" } } },
    },
  };
  expect(seen(schema)).toEqual({
    type: "object",
    properties: { a: { type: "string" }, more: { $ref: "#" }, b: { type: "number" } },
    $defs: schema.$defs,
  });
  const whole = {
    $ref: "#/$defs/a",
    $defs: { a: { properties: { a: { type: "string" } }, required: ["a"] } },
  };
  expect(seen(whole)).toEqual({
    type: "object",
    properties: { a: { type: "string" } },
    required: ["a"],
    $defs: whole.$defs,
  });
});

test("what refers to more and more of itself is seen in part", () => {
  const $defs: Record<string, unknown> = { d500: { properties: { deep: {} } } };
  for (let i = 0; i < 500; i++) {
    const next = { $ref: `#/$defs/d${i + 1}` };
    $defs[`d${i}`] = { properties: { x: { const: i } }, anyOf: [next, { allOf: [next, next] }] };
  }
  const { properties } = seen({
    properties: { own: { type: "string" } },
    anyOf: [{ $ref: "#/$defs/d0" }],
    $defs,
  });
  expect(properties).toHaveProperty("own");
  expect(JSON.stringify(properties).length).toBeLessThan(200_000);
});
