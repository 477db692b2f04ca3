import { expect, test } from "bun:test";
import { ago, duration, millis, short } from "./format.js";

test.each([
  [-5, "0 s"],
  [999, "0 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [3_600_000, "1 h"],
  [90_000_000, "1 d"],
])("%d ms are %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("ages are told from times of the wire", () => {
  expect(ago("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:02:00Z"))).toBe("2 min");
  expect(ago(undefined, 0)).toBe("–");
  expect(ago("soon", 0)).toBe("–");
});

test("latencies have as many digits as they are worth", () => {
  expect([0.123, 1.24, 12.4, 1234].map(millis)).toEqual(["0.12 ms", "1.2 ms", "12 ms", "1.2 s"]);
  expect(short("0123456789abcdef")).toBe("01234567");
});
