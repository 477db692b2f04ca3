import { expect, test } from "bun:test";
import { isA } from "./thrown.js";

const hostile = new Proxy(new RangeError("x"), {
  getPrototypeOf() {
    throw new Error("not telling");
  },
});

test("a thrown value is what it is, and nothing when it will not tell", () => {
  const values = [new RangeError("x"), new Error("x"), "x", null, undefined, hostile];
  expect(values.map((value) => isA(value, RangeError))).toEqual([true, false, false, false, false, false]);
});
