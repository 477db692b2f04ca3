import { expect, test } from "bun:test";
import { truncate } from "./truncate.js";

test("what fits stays as it is, and what does not fits afterwards and says how long it was", () => {
  expect(truncate("x".repeat(50), 50)).toBe("x".repeat(50));
  const cut = truncate("x".repeat(51), 50);
  expect(cut).toBe(`${"x".repeat(50 - 17)}… (51 characters)`);
  expect(truncate(cut, 50)).toBe(cut);
});
