import { describe, expect, test } from "bun:test";
import { dependentsOf, orderByDependencies } from "./order.js";

/** `"a: b c"` is a service a that needs b and c. */
const nodes = (...lines: string[]) =>
  lines.map((line) => {
    const [name = "", needs = ""] = line.split(":").map((part) => part.trim());
    return { name, dependencies: needs.split(" ").filter(Boolean) };
  });
const order = (lines: string[], present: string[] = []) => {
  const { ordered, missing, cyclic } = orderByDependencies(nodes(...lines), new Set(present));
  return {
    ordered: ordered.map(({ name }) => name).join(" "),
    missing: Object.fromEntries(missing.map(({ node, needs }) => [node.name, needs.join(" ")])),
    cyclic: Object.fromEntries(cyclic.map(({ node, cycle }) => [node.name, cycle.join(" → ")])),
  };
};

/** Far more than a server has; whoever is slower than in proportion does not come to the end. */
const MANY = 5000;
const chain = Array.from({ length: MANY }, (_, n) => ({ name: `s${n}`, dependencies: [`s${n + 1}`] }));

describe("many services that need each other in a row", () => {
  test("are ordered", () => {
    const last = { name: `s${MANY}`, dependencies: [] };
    const { ordered, missing, cyclic } = orderByDependencies([...chain, last], new Set());
    expect([ordered.length, ordered[0], missing, cyclic]).toEqual([MANY + 1, last, [], []]);
    expect(dependentsOf(last.name, [...chain, last])).toHaveLength(MANY);
  });

  test("are all missing what the last one lacks", () => {
    const { missing } = orderByDependencies(chain, new Set());
    expect(missing.map(({ needs }) => needs.join())).toContainAllValues(
      chain.map(({ dependencies }) => dependencies.join()),
    );
  });
});

describe("orderByDependencies", () => {
  test.each<[string, string[], string]>([
    ["keeps the order given where nothing speaks against it", ["c", "a", "b"], "c a b"],
    ["puts dependencies first", ["a: b", "b: c", "c"], "c b a"],
    ["places a shared dependency once", ["a: c", "b: c", "c"], "c a b"],
    ["follows a diamond", ["top: left right", "left: base", "right: base", "base"], "base left right top"],
    ["accepts a dependency named twice", ["a: b b", "b"], "b a"],
    ["has nothing to say about nothing", [], ""],
  ])("%s", (_what, lines, expected) => {
    expect(order(lines)).toEqual({ ordered: expected, missing: {}, cyclic: {} });
  });

  test("counts what runs already", () => {
    expect(order(["a: core"], ["core"])).toEqual({ ordered: "a", missing: {}, cyclic: {} });
  });

  test("names what is missing, for the dependents of the dependents too", () => {
    expect(order(["a: b", "b: x y", "c", "d: a c"])).toEqual({
      ordered: "c",
      missing: { b: "x y", a: "b", d: "a" },
      cyclic: {},
    });
  });

  test.each<[string, string[], Record<string, string>]>([
    ["itself", ["a: a"], { a: "a → a" }],
    ["two", ["a: b", "b: a"], { a: "a → b → a", b: "b → a → b" }],
    ["three", ["a: b", "b: c", "c: a"], { a: "a → b → c → a", b: "b → c → a → b", c: "c → a → b → c" }],
  ])("shows a cycle of %s as a path", (_what, lines, cyclic) => {
    expect(order(lines)).toEqual({ ordered: "", missing: {}, cyclic });
  });

  test("leaves those beside a cycle alone, and reports those that need it as missing a part", () => {
    expect(order(["a: b", "b: a", "needy: a", "free"])).toEqual({
      ordered: "free",
      missing: { needy: "a" },
      cyclic: { a: "a → b → a", b: "b → a → b" },
    });
  });

  test("takes a service that merely leads to a cycle for no member of it", () => {
    expect(order(["x: a", "a: b", "b: c", "c: b"]).cyclic).toEqual({ b: "b → c → b", c: "c → b → c" });
  });

  test("handles a long chain and many services", () => {
    const lines = Array.from({ length: 1000 }, (_, n) => (n === 0 ? "s0" : `s${n}: s${n - 1}`)).reverse();
    const { ordered } = orderByDependencies(nodes(...lines), new Set());
    expect(ordered.map(({ name }) => name)).toEqual(Array.from({ length: 1000 }, (_, n) => `s${n}`));
  });
});

test.each<[string, string, string[]]>([
  ["direct", "c", ["b", "a"]],
  ["none", "a", []],
  ["unknown", "x", []],
])("dependentsOf: %s", (_what, name, expected) => {
  expect(dependentsOf(name, nodes("a: b", "b: c", "c")).sort()).toEqual(expected.sort());
});

test("dependentsOf ends on a cycle and leaves the service itself out", () => {
  expect(dependentsOf("a", nodes("a: b", "b: a")).sort()).toEqual(["b"]);
});
