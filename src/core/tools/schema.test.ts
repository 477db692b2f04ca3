import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { plainSchema } from "./schema.js";

const NOTHING = { type: "object", properties: {} };

test.each([
  [undefined, NOTHING],
  [7, NOTHING],
  [[], NOTHING],
  [{}, { type: "object" }],
  [
    { type: ["object", "null"], title: "T" },
    { type: "object", title: "T" },
  ],
  [{ anyOf: [{ type: "object" }] }, { type: "object", anyOf: [{ type: "object" }] }],
])("%j is a schema of an object", (given, expected) => {
  expect(plainSchema(given)).toEqual(expected);
});

test("what TypeBox makes is taken as it is", () => {
  const schema = Type.Object({
    text: Type.String({ pattern: "^a", minLength: 1, description: "A text" }),
    number: Type.Optional(Type.Integer({ minimum: 0, exclusiveMaximum: 5 })),
    one: Type.Union([Type.Literal("a"), Type.Null()]),
    pair: Type.Tuple([Type.String(), Type.Number()]),
    empty: Type.Tuple([]),
    list: Type.Array(Type.Object({ x: Type.Any() }), { uniqueItems: true }),
    map: Type.Record(Type.String(), Type.Unknown()),
    tree: Type.Recursive((self) => Type.Object({ children: Type.Array(self) })),
    both: Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })]),
    either: Type.Unsafe<string | null>(Type.Unknown({ type: ["string", "null"] })),
    never: Type.Not(Type.String()),
  });
  expect(plainSchema(schema)).toEqual(JSON.parse(JSON.stringify(schema)));
  expect(Object.getOwnPropertySymbols(plainSchema(schema))).toEqual([]);
});

describe("what is no schema is refused, with its place", () => {
  const field = (schema: unknown) => ({ type: "object", properties: { x: schema } });
  test.each<[unknown, string]>([
    [{ type: "string" }, "of type string; they must be an object"],
    [{ type: "object", properties: 5 }, "properties must be an object of schemas"],
    [{ type: "object", required: "x" }, "required must be a list of strings"],
    [{ type: "object", required: [1] }, "required must be a list of strings"],
    [{ $schema: 5 }, "$schema must be a text"],
    [field(7), "properties.x must be a schema"],
    [field(null), "properties.x must be a schema"],
    [field({ type: "text" }), "properties.x.type must be one of"],
    [field({ type: [] }), "properties.x.type must be one of"],
    [field({ type: "string", required: true }), "properties.x.required must be a list of strings"],
    [field({ description: 5 }), "properties.x.description must be a text"],
    [field({ pattern: "(" }), "properties.x.pattern must be a regular expression"],
    [field({ enum: "a" }), "properties.x.enum must be a list"],
    [field({ minimum: "1" }), "properties.x.minimum must be a number"],
    [field({ exclusiveMinimum: true }), "properties.x.exclusiveMinimum must be a number"],
    [field({ maxLength: -1 }), "properties.x.maxLength must be a whole number"],
    [field({ anyOf: [] }), "properties.x.anyOf must be a list of schemas"],
    [field({ anyOf: [{ type: "x" }] }), "properties.x.anyOf.0.type must be one of"],
    [field({ items: { items: 3 } }), "properties.x.items.items must be a schema"],
    [field({ additionalProperties: "no" }), "properties.x.additionalProperties must be a schema"],
    [{ $defs: { y: { not: 1 } } }, "$defs.y.not must be a schema"],
  ])("%j", (given, message) => {
    expect(() => plainSchema(given)).toThrow(message);
  });

  test("one that would fill a model's memory", () => {
    const properties = { x: { type: "string", description: "x".repeat(100_000) } };
    expect(() => plainSchema({ properties })).toThrow("its parameters are too large: 1000");
    properties.x.description = "x".repeat(99_000);
    expect(plainSchema({ properties })).toEqual({ type: "object", properties });
  });

  test("one that holds itself, or is nested without end", () => {
    const round: Record<string, unknown> = { type: "object" };
    round.properties = { round };
    expect(() => plainSchema(round)).toThrow();
    let deep: unknown = {};
    for (let i = 0; i < 1_000_000; i++) deep = { not: deep };
    expect(() => plainSchema(deep)).toThrow();
  });
});
