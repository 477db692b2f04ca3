import { expect, test } from "bun:test";
import { score } from "./fuzzy.js";

const best = (typed: string, texts: string[]) =>
  texts
    .filter((text) => score(typed, text) !== undefined)
    .toSorted((a, b) => (score(typed, b) ?? 0) - (score(typed, a) ?? 0));

test("finds what was meant first", () => {
  expect(best("board", ["Deploy board", "board", "keyboard"])).toEqual(["board", "Deploy board", "keyboard"]);
  expect(best("reb", ["Reload board", "Roll back board"])[0]).toBe("Reload board");
  expect(best("depl b", ["Deploy board", "Deploy feed"])).toEqual(["Deploy board"]);
});

test("finds nothing in what has not all of it", () => {
  expect(score("xyz", "board")).toBeUndefined();
  expect(score("boardd", "board")).toBeUndefined();
});
