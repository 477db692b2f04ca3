import { describe, expect, test } from "bun:test";
import { describeDenial, explain, type Party } from "./check.js";
import { canonical } from "./set.js";
import { matchesWildcard } from "./wildcard.js";

const party = (id: string, allow: string[], deny: string[] = []): Party => ({
  id,
  permissions: canonical([["fs-read", { allow: [allow], deny }]]),
});

describe("a denial", () => {
  test("names every party that stands in the way and its rule", () => {
    const parties = [party("a", ["/a/**"]), party("b", ["/**"], ["/x/**"]), party("c", ["/**"])];
    const denial = explain([...parties, { id: "d", permissions: canonical([]) }], "fs-read", "/x/y");
    expect(denial).toEqual({
      permission: "fs-read",
      resource: "/x/y",
      parties: [
        { party: "a", rule: "allows only /a/**" },
        { party: "b", rule: "denies /x/**" },
        { party: "d", rule: 'has no "fs-read" permission' },
      ],
    });
    expect(describeDenial(denial as NonNullable<typeof denial>)).toBe(
      'fs-read of /x/y is denied: a allows only /a/**; b denies /x/**; d has no "fs-read" permission',
    );
  });

  test("says no more of many rules, or of what was asked for, than anybody reads", () => {
    const many = Array.from({ length: 1_000 }, (_, n) => `/folder/${n}`);
    const denial = explain([party("a", many)], "fs-read", `/${"x".repeat(100_000)}`);
    expect(describeDenial(denial as NonNullable<typeof denial>).length).toBeLessThan(2_000);
    expect(JSON.stringify(denial?.parties).length).toBeLessThan(2_000);
  });

  test("is absent when all agree, trusted callers included", () => {
    expect(
      explain([{ id: "operator", permissions: "all" }, party("a", ["/a/**"])], "fs-read", "/a/b"),
    ).toBeNull();
  });
});

describe("wildcards", () => {
  test("match in linear steps whatever the pattern", () => {
    expect(matchesWildcard(`${"a*".repeat(40)}b`, "a".repeat(5_000))).toBe(false);
  });

  test("match what a regular expression would", () => {
    const random = (letters: string, most: number) =>
      Array.from(
        { length: Math.floor(Math.random() * most) },
        () => letters[Math.floor(Math.random() * letters.length)],
      );
    for (let round = 0; round < 20_000; round++) {
      const pattern = random("ab*", 8).join("");
      const text = random("ab", 10).join("");
      const expected = new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(text);
      if (matchesWildcard(pattern, text) !== expected) throw new Error(`${pattern} and ${text}`);
    }
  });

  for (const [pattern, text, expected] of [
    ["*", "", true],
    ["a*c", "abbbc", true],
    ["a*c", "abbbd", false],
    ["*a*b", "xxaxxbxxab", true],
    ["a", "ab", false],
    ["?", "?", true],
    ["?", "a", false],
  ] as const) {
    test(`${pattern} and ${text}`, () => expect(matchesWildcard(pattern, text)).toBe(expected));
  }
});
