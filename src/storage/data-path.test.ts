import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { dataPath, lazyPath } from "./data-path.js";

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

describe("lazyPath", () => {
  test("is looked up at first use and stays", () => {
    const path = lazyPath("board.json");
    process.env.REEF_DATA_DIR = "/tmp/chosen-later";
    expect(path()).toBe("/tmp/chosen-later/board.json");
    process.env.REEF_DATA_DIR = "/elsewhere";
    expect(path()).toBe("/tmp/chosen-later/board.json");
  });

  test("takes absolute paths as they are and refuses escapes at once", () => {
    expect(lazyPath("/var/x.db")()).toBe("/var/x.db");
    expect(() => lazyPath("../x.db")).toThrow("is not a path inside");
  });
});
