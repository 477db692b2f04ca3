import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type BrokerHarness, createBrokerHarness } from "../../../services/broker/testing.js";

let t: BrokerHarness;
beforeAll(async () => {
  t = await createBrokerHarness({ plugins: [import.meta.dir] });
});
afterAll(() => t.cleanup());

const cases: [service: string, method: string, input: object, result: object][] = [
  ["math", "add", { a: 5, b: 3 }, { result: 8 }],
  ["math", "multiply", { a: 5, b: -3 }, { result: -15 }],
  ["math", "fibonacci", { n: 0 }, { result: 0 }],
  ["math", "fibonacci", { n: 78 }, { result: 8_944_394_323_791_464 }],
  ["text", "reverse", { text: "añb👩‍👧" }, { result: "👩‍👧bña" }],
  ["text", "wordCount", { text: "  one  two\nthree " }, { count: 3, words: ["one", "two", "three"] }],
  ["text", "wordCount", { text: " " }, { count: 0, words: [] }],
];

describe("com.example.math-plugin", () => {
  for (const [service, method, input, result] of cases) {
    test(`${service}.${method}(${JSON.stringify(input)})`, async () => {
      expect(await t.call<object>("com.example.math-plugin", service, method, input)).toEqual(result);
    });
  }

  test("refuses what is out of range", () => {
    expect(t.call("com.example.math-plugin", "math", "fibonacci", { n: 79 })).rejects.toThrow(
      "/n must be <= 78",
    );
  });
});
