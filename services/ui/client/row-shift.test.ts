import { expect, test } from "bun:test";
import { shiftOf } from "./row-shift.js";

const shift = (old: string, now: string, at: number, count: number) =>
  shiftOf([...old], [...now], (letter) => letter, at, count);

test.each([
  ["abcdef", "abcdef", 2, 3, 0, "nothing has changed"],
  ["abcdef", "xyabcdef", 2, 3, 2, "rows came in at the top"],
  ["abcdef", "abxcdef", 2, 3, 1, "a row came in between, above the view"],
  ["abcdef", "abcxdef", 2, 3, 0, "a row came in within the view"],
  ["abcdef", "acdef", 2, 3, -1, "a row went above the view"],
  ["abcdef", "abef", 2, 3, -2, "the first rows in view went"],
  ["abcdef", "xyz", 2, 3, 0, "all went"],
  ["abcdef", "xabef", 2, 2, 0, "all that was in view went"],
  ["ab", "xab", 5, 3, 0, "the view is beyond the end"],
])(
  "from %s to %s, seen from row %d (%d in view), the view moves by %d rows: %s",
  (old, now, at, count, expected) => {
    expect(shift(old, now, at, count)).toBe(expected);
  },
);
