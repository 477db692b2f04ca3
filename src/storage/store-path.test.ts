import { afterEach, beforeEach, expect, test } from "bun:test";
import { endDataDir } from "../core/data-dir.js";
import { StorePath } from "./store-path.js";

const before = process.env.REEF_DATA_DIR;
let n = 0;
/** Chooses a data folder that no other test has had. */
const choose = () => {
  process.env.REEF_DATA_DIR = `/srv/reef/place-${++n}`;
  return process.env.REEF_DATA_DIR;
};
beforeEach(() => void choose());
afterEach(() => {
  if (before === undefined) delete process.env.REEF_DATA_DIR;
  else process.env.REEF_DATA_DIR = before;
});

test("a relative path is looked up at first use and stays", () => {
  const place = new StorePath("board.json");
  const folder = choose();
  expect(place.path).toBe(`${folder}/board.json`);
  choose();
  expect(place.path).toBe(`${folder}/board.json`);
});

test("an absolute path is taken as it is, and one that leaves the folder is refused at once", () => {
  expect(new StorePath("/var/x.db").path).toBe("/var/x.db");
  expect(() => new StorePath("../x.db")).toThrow("is not a path inside");
});

test("a place in a folder that has ended is in the next one, told once and open again", () => {
  let moves = 0;
  const place = new StorePath("board.json", () => void moves++);
  const first = place.path;
  place.close();
  expect(() => place.use("read")).toThrow(`cannot read ${first}: it is closed`);
  endDataDir(process.env.REEF_DATA_DIR ?? "");
  expect(() => place.use("read")).toThrow("it is closed");
  const folder = choose();
  expect(place.use("read")).toBe(`${folder}/board.json`);
  expect([place.path, moves]).toEqual([`${folder}/board.json`, 1]);
});

test("what is closed stays closed in a folder that goes on, and where the path is absolute", () => {
  const places = [new StorePath("board.json"), new StorePath("/var/x.db")];
  for (const place of places) place.close();
  choose();
  for (const place of places) expect(() => place.use("write to")).toThrow("it is closed");
});
