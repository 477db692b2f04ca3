import { describe, expect, test } from "bun:test";
import { LoadFailure } from "./load-failure.js";
import { assertFolderName, assertServiceName, isSafeName, RESERVED_NAMES } from "./names.js";

const GOOD = [
  "a",
  "board",
  "your-service",
  "with_underscore",
  "v1.2",
  "9lives",
  "Board",
  "a".repeat(64),
  "constructor",
];
const BAD: unknown[] = [
  "",
  ".",
  "..",
  ".hidden",
  "-flag",
  "_x",
  "a/b",
  "a\\b",
  "a..b",
  "../a",
  "a b",
  "a\n",
  "a\0",
  "a%2fb",
  "a?b",
  "a#b",
  "a:b",
  "ä",
  "a".repeat(65),
  undefined,
  null,
  7,
  {},
  ["a"],
];

describe("isSafeName", () => {
  test.each(GOOD)("%p is one", (name) => expect(isSafeName(name)).toBe(true));
  test.each(BAD.map((name) => [name]))("%p is none", (name) => expect(isSafeName(name)).toBe(false));
});

const failureOf = (fn: () => void): LoadFailure => {
  try {
    fn();
  } catch (error) {
    if (error instanceof LoadFailure) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

test.each(BAD.map((name) => [name]))("%p is refused as a folder and as a service", (name) => {
  expect(failureOf(() => assertFolderName(name))).toMatchObject({ code: "BAD_FOLDER", step: "find" });
  expect(failureOf(() => assertServiceName(name))).toMatchObject({ code: "BAD_NAME", step: "check" });
});

test("a refused name is shown quoted and never in full length", () => {
  expect(failureOf(() => assertServiceName("a\nb")).message).toContain('"a\\nb"');
  expect(failureOf(() => assertServiceName("x".repeat(10_000))).message.length).toBeLessThan(300);
});

test.each([...RESERVED_NAMES].flatMap((name) => [[name], [name.toUpperCase()]]))(
  "%p is reserved for the server",
  (name) => {
    expect(failureOf(() => assertServiceName(name))).toMatchObject({ code: "RESERVED_NAME" });
  },
);

test.each(["node_modules", "NODE_MODULES"])(
  "%p is no folder of a service: packages are looked for there",
  (name) => {
    expect(failureOf(() => assertFolderName(name))).toMatchObject({ code: "BAD_FOLDER", step: "find" });
  },
);

test("a folder may have a reserved name, its service may not", () => {
  expect(() => assertFolderName("health")).not.toThrow();
});
