import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { dataPath } from "./data-path.js";

const before = process.env.REEF_DATA_DIR;
beforeEach(() => {
  process.env.REEF_DATA_DIR = "/srv/reef/data";
});
afterEach(() => {
  if (before === undefined) delete process.env.REEF_DATA_DIR;
  else process.env.REEF_DATA_DIR = before;
});

describe("dataPath", () => {
  test("is inside the folder that REEF_DATA_DIR names", () => {
    expect(dataPath("board.json")).toBe("/srv/reef/data/board.json");
    expect(dataPath("board", "a/b.json")).toBe("/srv/reef/data/board/a/b.json");
  });

  test("is inside data/ when nothing is named", () => {
    delete process.env.REEF_DATA_DIR;
    expect(dataPath("board.json")).toBe(resolve("data", "board.json"));
  });

  test.each(["..", "../x", "a/../../x", "/etc/passwd", "", "a\0b", "..\\x", "a/.."])(
    "refuses %j",
    (segment) => {
      expect(() => dataPath(segment)).toThrow("is not a path inside the data folder");
      expect(() => dataPath("ok", segment)).toThrow("is not a path inside the data folder");
    },
  );

  test("accepts names that merely begin with dots", () => {
    expect(dataPath("..board", "...")).toBe(join("/srv/reef/data", "..board", "..."));
  });
});
