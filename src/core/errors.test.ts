import { describe, expect, test } from "bun:test";
import { ERRORS, type ErrorCode, errorReply, isA, messageOf, ReefError } from "./errors.js";

const codes = Object.keys(ERRORS) as ErrorCode[];

describe("the catalogue", () => {
  test.each(codes)("%s has a status, a one-line message and help that ends as a sentence", (code) => {
    const { status, message, help } = ERRORS[code];
    expect(code).toMatch(/^[A-Z][A-Z_]+$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(message).toMatch(/^[^\n]+$/);
    expect(help).toMatch(/\.$/);
  });
});

test.each(codes)("errorReply(%s) is JSON with its status", async (code) => {
  const reply = errorReply(code);
  expect(reply.status).toBe(ERRORS[code].status);
  expect(reply.headers.get("content-type")).toMatch(/^application\/json/);
  expect(await reply.json()).toEqual({ error: ERRORS[code].message });
});

test("errorReply takes a message and headers of its own", async () => {
  const reply = errorReply("CONFLICT", "the task is closed", { "retry-after": "1" });
  expect(reply.headers.get("retry-after")).toBe("1");
  expect(await reply.json()).toEqual({ error: "the task is closed" });
});

test("a ReefError carries its code, its status and a message", () => {
  expect(new ReefError("BAD_JSON")).toMatchObject({
    name: "ReefError",
    code: "BAD_JSON",
    status: 400,
    message: ERRORS.BAD_JSON.message,
  });
  expect(new ReefError("CONFLICT", "taken").message).toBe("taken");
});

const circle: Record<string, unknown> = {};
circle.circle = circle;

test.each<[string, unknown, string]>([
  ["an error", new Error("broken"), "broken"],
  ["an error without a message", new TypeError(), "TypeError"],
  ["several lines", new Error(" a\n  b\r\n\tc "), "a b c"],
  ["a string", "text", "text"],
  ["null", null, "null"],
  ["undefined", undefined, "undefined"],
  ["a number", 7, "7"],
  ["an object", { status: 7, reason: ["why"] }, '{"status":7,"reason":["why"]}'],
  ["an object with a message", { message: "why", code: 7 }, "why"],
  ["an object that says what it is", { toString: () => "itself" }, "itself"],
  ["a large object", { text: "x".repeat(999) }, `{"text":"${"x".repeat(291)}…`],
  ["an array", [{ a: 1 }], '[{"a":1}]'],
  ["an object that holds itself", circle, "a thrown object that cannot be shown"],
])("messageOf %s", (_what, thrown, expected) => {
  expect(messageOf(thrown)).toBe(expected);
});

/** Looking for the end of the line from each space on takes minutes at this length. */
test.each([" ", "\n", " \n", "\t x"])(
  "messageOf takes time by the length only: %p again and again",
  (piece) => {
    const text = piece.repeat(400_000 / piece.length);
    expect(messageOf(new Error(`a${text}b\n\n c`))).toMatch(/^a\s.*b c$/);
  },
);

test.each<[string, unknown]>([
  ["an object without a prototype", Object.create(null)],
  [
    "an object whose toString throws",
    {
      toString() {
        throw new Error("no");
      },
    },
  ],
  ["a symbol", Symbol("s")],
  ["an error whose message is no string", Object.assign(new Error(), { message: { deep: 1 } })],
])("messageOf never throws: %s", (_what, thrown) => {
  expect(typeof messageOf(thrown)).toBe("string");
});

const hostile = new Proxy(new RangeError("x"), {
  getPrototypeOf() {
    throw new Error("not telling");
  },
});

test("a thrown value is what it is, and nothing when it will not tell", () => {
  const values = [new RangeError("x"), new Error("x"), "x", null, undefined, hostile];
  expect(values.map((value) => isA(value, RangeError))).toEqual([true, false, false, false, false, false]);
});
