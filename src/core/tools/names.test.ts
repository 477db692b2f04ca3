import { describe, expect, test } from "bun:test";
import { toolPrefix, wireNames } from "./names.js";

const wire = (names: string[], max?: number) => Object.fromEntries(wireNames(names, max));

describe("wireNames", () => {
  test("a safe name stays what it is", () => {
    expect(wire(["board_create_task", "A-1"])).toEqual({
      board_create_task: "board_create_task",
      "A-1": "A-1",
    });
  });

  test("unsafe characters become underscores", () => {
    expect(wire(["plugin__com.example.math-plugin__math__add"])).toEqual({
      "plugin__com.example.math-plugin__math__add": "plugin__com_example_math-plugin__math__add",
    });
  });

  test("a name that is too long ends in a hash of the whole of it", () => {
    const [a, b] = ["x".repeat(80), `${"x".repeat(79)}y`];
    const names = wire([a as string, b as string]);
    for (const name of Object.values(names)) expect(name).toMatch(/^x{55}_[0-9a-f]{8}$/);
    expect(new Set(Object.values(names)).size).toBe(2);
    expect(Object.values(wire([a as string], 53))[0]).toHaveLength(53);
  });

  test("names that would coincide are told apart, whatever their order; the safe one keeps its own", () => {
    const names = ["a.b", "a b", "a_b"];
    const forwards = wire(names);
    expect(forwards).toEqual(wire(names.toReversed()));
    expect(forwards.a_b).toBe("a_b");
    expect(forwards["a.b"]).toMatch(/^a_b_[0-9a-f]{8}$/);
    expect(new Set(Object.values(forwards)).size).toBe(3);
  });

  test("everything that comes out is safe, even of names that are nothing but unsafe", () => {
    for (const name of ["", "…", "日本語", "a/b:c", "\n"]) {
      expect(Object.values(wire([name]))).toEqual([expect.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)]);
    }
  });
});

test.each([
  ["board", "board_"],
  ["your-service", "your_service_"],
  ["Two  Words.", "two_words__"],
])("the tools of %s begin with %s", (service, prefix) => {
  expect(toolPrefix(service)).toBe(prefix);
});
