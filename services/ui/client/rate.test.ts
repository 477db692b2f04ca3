import { expect, test } from "bun:test";
import { Rate } from "./rate.js";

test("allows so many within the time, and more as the earlier ones have passed", () => {
  const rate = new Rate(2, 1000);
  expect([0, 10, 20, 999].map((now) => rate.allows(now))).toEqual([true, true, false, false]);
  expect([1000, 1005, 1010].map((now) => rate.allows(now))).toEqual([true, false, true]);
});
