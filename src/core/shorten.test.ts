import { expect, test } from "bun:test";
import { shorten } from "./shorten.js";

test("what fits stays as it is, and what does not fits afterwards and says how long it was", () => {
  expect(shorten("x".repeat(50), 50)).toBe("x".repeat(50));
  const cut = shorten("x".repeat(51), 50);
  expect(cut).toBe(`${"x".repeat(50 - 17)}… (51 characters)`);
  expect(shorten(cut, 50)).toBe(cut);
});
