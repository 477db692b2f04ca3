import { expect, test } from "bun:test";
import { explain } from "./check.js";
import { canonicalHost } from "./hosts.js";

test.each([
  ["::ffff:8.8.8.8", "8.8.8.8"],
  ["[::FFFF:808:808]", "8.8.8.8"],
  ["0:0:0:0:0:ffff:7f00:1", "127.0.0.1"],
  ["::ffff:0:808:808", "::ffff:0:808:808"],
  ["2001:DB8::1", "2001:db8::1"],
  ["0x08080808", "8.8.8.8"],
])("%s is %s", (given, canonical) => {
  expect(canonicalHost(given)).toBe(canonical);
});

test("a denied address is denied however it is written", () => {
  const party = { id: "p", permissions: { network: { allow: [["*"]], deny: ["8.8.8.8"] } } };
  for (const spelling of ["8.8.8.8:443", "[::ffff:8.8.8.8]:443", "http://[::ffff:808:808]/"]) {
    expect(explain([party], "network", spelling), spelling).not.toBeNull();
  }
  expect(explain([party], "network", "[2001:db8::1]:443")).toBeNull();
});
