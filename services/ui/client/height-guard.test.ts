import { expect, test } from "bun:test";
import { HeightGuard } from "./height-guard.js";

test.each([["500px"], [Number.NaN], [Number.POSITIVE_INFINITY], [-1], [null], [{}]])(
  "%p is no height",
  (asked) => {
    expect(new HeightGuard().next(asked, 0)).toBeUndefined();
  },
);

test("follows a panel up to a limit", () => {
  const guard = new HeightGuard();
  expect(guard.next(300.2, 0)).toBe(301);
  expect(guard.next(301, 1)).toBeUndefined();
  expect(guard.next(1e9, 2)).toBe(8000);
});

test("stops following one that grows with its frame, and follows again later", () => {
  const guard = new HeightGuard();
  let followed = 0;
  for (let index = 1; index < 200; index++) if (guard.next(100 + index * 10, index) !== undefined) followed++;
  expect(followed).toBe(40);
  expect(guard.next(700, 20_000)).toBe(700);
});
