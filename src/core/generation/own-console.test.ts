import { expect, test } from "bun:test";
import { LogBook, type LogLine } from "../log.js";
import { ownConsole } from "./own-console.js";

function make() {
  const lines: LogLine[] = [];
  const console = ownConsole("s", new LogBook((line) => lines.push(line)));
  return { console, said: () => lines.map(({ service, level, text }) => [service, level, text]) };
}

test("what a console lays out is logged as it would be printed", () => {
  const { console, said } = make();
  console.table([{ a: 1 }]);
  console.count();
  console.count("x");
  console.count("x");
  console.countReset("x");
  console.count("x");
  console.dirxml({ b: 2 });
  const table = [
    "┌─────────┬───┐",
    "│ (index) │ a │",
    "├─────────┼───┤",
    "│    0    │ 1 │",
    "└─────────┴───┘",
  ];
  expect(said()).toEqual([
    ["s", "info", table.join("\n")],
    ["s", "info", "default: 1"],
    ["s", "info", "x: 1"],
    ["s", "info", "x: 2"],
    ["s", "info", "x: 1"],
    ["s", "info", "{ b: 2 }"],
  ]);
});

test("times are told", () => {
  const { console, said } = make();
  console.time("work");
  console.timeLog("work", "half");
  console.timeEnd("work");
  const texts = said().map(([, , text]) => text);
  expect(texts).toEqual([
    expect.stringMatching(/^work: .*s half$/),
    expect.stringMatching(/^work: [\d.]+m?s$/),
  ]);
});

test("what is grouped is indented, to its last line", () => {
  const { console, said } = make();
  console.group("outer");
  console.warn("one\ntwo");
  console.groupCollapsed();
  console.count();
  console.groupEnd();
  console.log("three");
  console.groupEnd();
  console.groupEnd();
  console.log("four");
  expect(said()).toEqual([
    ["s", "info", "outer"],
    ["s", "warn", "  one\n  two"],
    ["s", "info", "    default: 1"],
    ["s", "info", "  three"],
    ["s", "info", "four"],
  ]);
});

test("a trace says from where", () => {
  const { console, said } = make();
  console.trace("here", 1);
  const [[, level, text]] = said() as [[string, string, string]];
  expect(level).toBe("debug");
  expect(text).toMatch(/^Trace: here 1\n\s+at .*own-console\.test\.ts/);
});
