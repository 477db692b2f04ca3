import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "../../../tests/support/sandbox.js";
import { LogBook } from "../log.js";
import { Switches } from "./switches.js";

let sandbox: Sandbox;
let errors: string[];
beforeEach(() => {
  sandbox = new Sandbox();
  errors = [];
});
afterEach(() => sandbox.remove());
const open = () => new Switches(sandbox.dataDir, new LogBook(({ text }) => errors.push(text)).logger("reef"));
const entry = { name: "board", dirName: "folder", since: "2026-01-01T00:00:00.000Z", reason: "too loud" };

test("what is switched off stays so across restarts, until it is switched on", () => {
  open().disable(entry);
  const later = open();
  expect(later.list()).toEqual([entry]);
  expect([later.isDisabled("folder"), later.isDisabled("board")]).toEqual([true, false]);
  later.enable("folder");
  later.enable("never was off");
  expect(open().list()).toEqual([]);
  expect(errors).toEqual([]);
});

test("switching off twice keeps the latest reason", () => {
  const switches = open();
  switches.disable(entry);
  switches.disable({ ...entry, reason: "still" });
  expect(switches.list()).toEqual([{ ...entry, reason: "still" }]);
});

test.each(["{", "7", "null", '{"a":1}', "[null]", "[7]", '[{"name":"board"}]', '[{"dirName":"board"}]'])(
  "an unusable file (%p) is reported, and the server starts",
  (content) => {
    sandbox.write("data/.reef/disabled.json", content);
    expect(open().list()).toEqual([]);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(
      /disabled\.json is damaged \(.+\): it was moved to .+; services that it disabled may run again\.$/,
    );
  },
);

test("a damaged file is set aside and not overwritten by the next change", () => {
  const damaged = '[{"name":"board","dirName":"fol';
  sandbox.write("data/.reef/disabled.json", damaged);
  open().disable({ ...entry, dirName: "other" });
  const folder = join(sandbox.dataDir, ".reef");
  const [aside = ""] = readdirSync(folder).filter((name) => name.startsWith("disabled.json.corrupt-"));
  expect(readFileSync(join(folder, aside), "utf8")).toBe(damaged);
  expect(errors[0]).toContain(aside);
  expect(open().list()).toHaveLength(1);
});

test("what cannot be saved has not happened", () => {
  const switches = open();
  switches.disable(entry);
  const path = join(sandbox.dataDir, ".reef", "disabled.json");
  // In the way of the file that takes its place.
  mkdirSync(join(`${path}.tmp`, "x"), { recursive: true });
  expect(() => switches.disable({ ...entry, dirName: "other" })).toThrow();
  expect(() => switches.enable(entry.dirName)).toThrow();
  expect(switches.list()).toEqual([entry]);
  expect(readFileSync(path, "utf8")).toContain("too loud");
});

test("a file that cannot be read keeps the server from starting: nobody knows what is switched off", () => {
  mkdirSync(join(sandbox.dataDir, ".reef", "disabled.json"), { recursive: true });
  expect(() => open()).toThrow("disabled.json");
});
