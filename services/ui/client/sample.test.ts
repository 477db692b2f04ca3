import { expect, test } from "bun:test";
import { sample } from "./sample.js";

test.each([
  [
    { type: "object", properties: { a: { type: "number" }, b: { type: "string" } }, required: ["a"] },
    { a: 0 },
  ],
  [
    { type: "object", properties: { a: { type: "integer", minimum: 3 }, b: { type: "array" } } },
    { a: 3, b: [] },
  ],
  [
    { properties: { a: { enum: ["x", "y"] }, b: { const: 1 }, c: { default: false } } },
    { a: "x", b: 1, c: false },
  ],
  [{ type: ["string", "null"] }, ""],
  [{}, {}],
  [true, null],
  [undefined, null],
])("%j begins with %j", (schema, value) => {
  expect(sample(schema)).toEqual(value);
});

test("a schema that contains itself comes to an end", () => {
  const schema: Record<string, unknown> = { type: "object", required: ["next"] };
  schema.properties = { next: schema };
  expect(JSON.stringify(sample(schema)).length).toBeLessThan(200);
});
