import { expect, test } from "bun:test";
import { hasWords } from "./has-words.js";

test.each([
  ["", true],
  ["  ", true],
  ["BOARD", true],
  ["task boa", true],
  [" tasks\tBoard ", true],
  ["board nothing", false],
])("%j is found in a text: %p", (search, found) => {
  expect(hasWords("board Tasks for agents", search)).toBe(found);
});
