import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../testing/fixtures.js";
import { expandRules } from "./expand.js";
import { READ } from "./landlock.js";

const temporary = temporaryFolder();
afterAll(temporary.remove);
const root = temporary.path;
for (const file of [
  "a.txt",
  "b.md",
  ".hidden",
  "sub/c.txt",
  "sub/deep/d.txt",
  "private/key",
  "other/e.txt",
]) {
  mkdirSync(join(root, file, ".."), { recursive: true });
  writeFileSync(join(root, file), "x");
}
symlinkSync("/etc", join(root, "link"));

const expand = async (allow: string[], deny: string[] = [], limit = 100) => {
  const under = (pattern: string) => (pattern.startsWith("/**") ? pattern : join(root, pattern));
  const rules = await expandRules(allow.map(under), deny.map(under), READ, limit);
  return rules.map(({ path }) => path.slice(root.length + 1)).sort();
};

describe("an allow list becomes grants", () => {
  const cases: [name: string, allow: string[], deny: string[], expected: string[]][] = [
    ["a whole folder", ["**"], [], [""]],
    ["a whole folder below another", ["**", "sub/**"], [], [""]],
    ["the files of one level, dotfiles too, links not", ["*"], [], [".hidden", "a.txt", "b.md"]],
    [
      "files by their ending, on every level",
      ["**/*.txt"],
      [],
      ["a.txt", "other/e.txt", "sub/c.txt", "sub/deep/d.txt"],
    ],
    ["one file", ["sub/c.txt"], [], ["sub/c.txt"]],
    ["what is not there", ["nowhere/**"], [], []],
    ["a link", ["link/**"], [], []],
    ["a folder with a folder denied", ["**"], ["private/**"], [".hidden", "a.txt", "b.md", "other", "sub"]],
    ["a folder with files denied on every level", ["sub/**"], ["**/d.txt"], ["sub/c.txt"]],
    [
      "a folder with one name denied everywhere",
      ["**"],
      ["/**/.hidden"],
      ["a.txt", "b.md", "other/e.txt", "private/key", "sub/c.txt", "sub/deep/d.txt"],
    ],
    ["all denied", ["**"], ["/**"], []],
    [
      "a denied folder inside an allowed one inside a denied one",
      ["sub/deep/**"],
      ["sub/*"],
      ["sub/deep/d.txt"],
    ],
  ];
  for (const [name, allow, deny, expected] of cases) {
    test(name, async () => expect(await expand(allow, deny)).toEqual(expected));
  }

  test("and is refused when it comes to too many", async () => {
    await expect(expand(["**/*.txt"], [], 2)).rejects.toThrow("more than 2 single files");
  });

  test("and is refused when it takes too long to spell out", async () => {
    const patterns = Array.from({ length: 200 }, (_, n) => `**/x${n}*`);
    await expect(expand(patterns, [], 1)).rejects.toThrow("take too long");
    expect(await expand(patterns, [], 100)).toEqual([]);
  });
});
