import { expect, test } from "bun:test";
import { lazyMembers } from "./lazy-members.js";

interface Sample {
  name: string;
  hello(): string;
  other: unknown;
  inherited: string;
}

let made: string[] = [];
const parent = { inherited: "from the parent", other: "the parent's" };
const make = lazyMembers<string>(parent, {
  name: (state) => {
    made.push(state);
    return state;
  },
  hello: (state) => () => `hello ${state}`,
});
const sample = (state: string) => make(state) as Sample;

test("a member is made when it is first asked for, and stays", () => {
  made = [];
  const [a, b] = [sample("a"), sample("b")];
  expect(made).toEqual([]);
  const { hello } = a;
  expect([a.name, a.name]).toEqual(["a", "a"]);
  expect(a.hello).toBe(hello);
  expect(made).toEqual(["a"]);
  expect([b.name, b.hello === a.hello]).toEqual(["b", false]);
});

test("a function works without the object it was taken from", () => {
  const { hello } = sample("a");
  expect(hello()).toBe("hello a");
});

test("everything else is the parent's", () => {
  const a = sample("a");
  expect([a.inherited, a.other, "hello" in a, "nothing" in a]).toEqual([
    "from the parent",
    "the parent's",
    true,
    false,
  ]);
});

test("what is put in a member's place stays there, for this object alone", () => {
  const [a, b] = [sample("a"), sample("b")];
  a.hello = () => "changed";
  a.other = 1;
  expect([a.hello(), a.other, b.hello(), b.other]).toEqual(["changed", 1, "hello b", "the parent's"]);
  expect(parent.other).toBe("the parent's");
});

test("what derives from an object, or wraps it, has its members", () => {
  const a = sample("a");
  expect((Object.create(a) as Sample).hello()).toBe("hello a");
  expect(new Proxy(a, {}).name).toBe("a");
  expect(Object.freeze(sample("b")).hello()).toBe("hello b");
});

test("what all objects have in common has nothing of its own", () => {
  expect(Object.getPrototypeOf(sample("a")).name).toBeUndefined();
});
