import { describe, expect, test } from "bun:test";
import { coerce, readInput } from "./input.js";

const schema = {
  type: "object",
  required: ["count"],
  properties: {
    count: { type: "integer" },
    share: { type: "number" },
    on: { type: "boolean" },
    name: { type: "string" },
    ids: { type: "array", items: { type: "integer" } },
    nested: { type: "object", properties: { n: { type: "number" } }, additionalProperties: false },
    state: { anyOf: [{ const: "open" }, { const: "blocked" }, { const: "done" }] },
  },
};

describe("readInput", () => {
  test("reads numbers and booleans that were written as text, at any depth", async () => {
    const input = {
      count: "3",
      share: "0.5",
      on: "false",
      name: 7,
      ids: ["1", 2],
      nested: { n: "4" },
      extra: "5",
    };
    expect(await readInput("t", schema, input)).toEqual({
      count: 3,
      share: 0.5,
      on: false,
      name: "7",
      ids: [1, 2],
      nested: { n: 4 },
      extra: "5",
    });
    expect(input.count, "the caller's own input stays").toBe("3");
  });

  test.each([
    [{ count: "many" }, "count must be integer"],
    [{ count: "" }, "count must be integer"],
    [{ count: "1.5" }, "count must be integer"],
    [{ count: 1, ids: [1, "x"] }, "ids.1 must be integer"],
    [{ count: 1, state: "shut" }, ': state must be one of "open", "blocked", "done"'],
    [{ count: 1, nested: { m: 1 } }, ": nested.m is not allowed"],
    [{}, "count"],
    [undefined, "count"],
    ["text", "must be object"],
    [[], "must be object"],
  ])("refuses %j and names the fault", async (input: unknown, fault) => {
    const reading = readInput("a_tool", schema, input);
    await expect(reading).rejects.toMatchObject({ code: "BAD_REQUEST" });
    await expect(reading).rejects.toThrow(fault);
    await expect(reading).rejects.toThrow("a_tool");
  });
});

test("coerce leaves inherited names alone", () => {
  expect(coerce(JSON.parse('{"constructor":"1","__proto__":"2"}'), { properties: {} })).toEqual(
    JSON.parse('{"constructor":"1","__proto__":"2"}'),
  );
});
