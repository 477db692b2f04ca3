import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../testing/fixtures.js";
import { isAllowed } from "./check.js";
import { normalisePermissions } from "./normalise.js";
import { pathAliases } from "./paths.js";
import type { PermissionSet } from "./set.js";

const temporary = temporaryFolder();
const root = join(temporary.path, "plugin");
const support = join(temporary.path, "support");
const home = join(temporary.path, "home");
for (const folder of [root, support, home, join(home, "Documents"), join(temporary.path, "elsewhere")])
  mkdirSync(folder);
symlinkSync(join(temporary.path, "elsewhere"), join(home, "linked"));
afterAll(temporary.remove);

const aliases = pathAliases(root, support, home);
const read = (...permissions: unknown[]): PermissionSet => normalisePermissions(permissions, aliases);
const plain = (set: PermissionSet) => JSON.parse(JSON.stringify(set)) as unknown;

describe("both spellings come to the same", () => {
  const pairs: [string, unknown[], unknown[]][] = [
    [
      "files",
      [{ permission: "fs:read", allow: [{ path: "$HOME/Documents/**" }] }],
      [{ permission: "fs-read", allow: ["$HOME/Documents/**"] }],
    ],
    [
      "hosts",
      [{ permission: "network", allow: [{ url: "https://*.github.com/**" }] }],
      [{ permission: "network", domains: ["*.github.com:443"] }],
    ],
    [
      "commands",
      [{ permission: "shell:execute", allow: [{ cmd: { program: "git", args: ["clone"] } }] }],
      [{ permission: "shell:execute", allow: [{ command: "git", args: ["clone"] }] }],
    ],
    ["simple names", ["storage"], [{ permission: "storage" }]],
    [
      "split over several entries",
      [
        { permission: "fs-read", allow: ["/a/**"] },
        { permission: "fs:read-dir", allow: ["/b/**"], deny: ["/a/x"] },
      ],
      [{ permission: "fs-read", allow: ["/b/**", "/a/**"], deny: ["/a/x"] }],
    ],
    [
      "command scopes with rights of their own",
      [
        {
          permission: "shell:deno:spawn",
          allow: [{ path: "$EXTENSION/x.ts", net: ["example.org"], read: "*", env: ["HOME"] }],
        },
      ],
      [
        { permission: "shell:deno:spawn", allow: ["$EXTENSION/x.ts"] },
        { permission: "network", domains: ["example.org"] },
        { permission: "fs-read", allow: ["/**"] },
        { permission: "env", allow: ["HOME"] },
      ],
    ],
  ];
  for (const [name, one, other] of pairs) {
    test(name, () => expect(plain(read(...one))).toEqual(plain(read(...other))));
  }
});

describe("aliases", () => {
  test("the longest alias wins", () => {
    const set = read({ permission: "fs-read", allow: ["$EXTENSION_SUPPORT/**", "$EXTENSION/data/*"] });
    expect(set["fs-read"]?.allow).toEqual([[`${root}/data/*`, `${support}/**`]]);
  });

  test("links in the part without wildcards are resolved", () => {
    const set = read({ permission: "fs-read", allow: ["$HOME/linked/**"] });
    expect(set["fs-read"]?.allow).toEqual([[join(temporary.path, "elsewhere/**")]]);
  });
});

describe("what cannot be meant is refused with its place", () => {
  const cases: [unknown, string, string][] = [
    [{ permission: "fs-read", allow: ["relative/**"] }, "permissions[0].allow[0]", "neither absolute"],
    [{ permission: "fs-read", allow: ["/a/../b"] }, "permissions[0].allow[0]", '".."'],
    [{ permission: "fs-read", allow: ["$NOWHERE/x"] }, "permissions[0].allow[0]", "unknown alias"],
    [
      { permission: "fs-read", allow: ["/a/{b,c}"] },
      "permissions[0].allow[0]",
      "is not supported in a pattern",
    ],
    [{ permission: "fs-read", allow: ["/a\0b"] }, "permissions[0].allow[0]", "NUL"],
    ["fs:read", "permissions[0]", 'e.g. { "permission": "fs-read", "allow": ["$EXTENSION_SUPPORT/**"] }'],
    ["network", "permissions[0]", 'e.g. { "permission": "network", "allow": ["*.example.com"] }'],
    ["events", "permissions[0]", 'e.g. { "permission": "events", "allow": ["EXAMPLE_*"] }'],
    ["service:call", "permissions[0]", '"allow": ["com.example.math-plugin/math/*"]'],
    ["shell:execute", "permissions[0]", '"allow": [{"command":"git","args":["log"]}]'],
    [
      { permission: "network", domains: ["https://example.org/only/this"] },
      "permissions[0].domains[0]",
      "only hosts",
    ],
    [{ permission: "network", allow: ["a b"] }, "permissions[0].allow[0]", "not a host"],
    [{ permission: "shell:execute", allow: [{ args: [] }] }, "permissions[0].allow[0]", "command"],
    [{ permission: "storage", domains: ["x"] }, "permissions[0].domains", "network"],
    [{ permission: "storage", surprise: 1 }, "permissions[0].surprise", "not a known field"],
    [{ allow: [] }, "permissions[0]", "name of a permission"],
    [7, "permissions[0]", "name or an object"],
    [{ permission: "events", allow: ["x".repeat(40_000)] }, "permissions[0].allow[0]", "32768 characters"],
    [
      { permission: "fs-read", deny: Array.from({ length: 9_000 }, (_, n) => `/${n}`) },
      "permissions[0].deny",
      "32768 characters",
    ],
  ];
  for (const [entry, field, words] of cases) {
    test(JSON.stringify(entry).slice(0, 200), () => {
      expect(() => read(entry)).toThrow(words);
      expect(() => read(entry)).toThrow(field);
    });
  }
});

describe("what a set reaches", () => {
  const cases: [unknown[], string, string | undefined, boolean][] = [
    [[{ permission: "fs-read", allow: ["/a/**"] }], "fs-read", "/a/b/.hidden", true],
    [[{ permission: "fs-read", allow: ["/a/**"] }], "fs-read", "/a", true],
    [[{ permission: "fs-read", allow: ["/a/*"] }], "fs-read", "/a/.hidden", true],
    [[{ permission: "fs-read", allow: ["/a/*"] }], "fs-read", "/a/b/c", false],
    [[{ permission: "fs-read", allow: ["/a/**"] }], "fs-read", "/ab", false],
    [[{ permission: "fs-read", allow: ["/a/**"], deny: ["/**/.env"] }], "fs-read", "/a/b/.env", false],
    [[{ permission: "fs-read", allow: ["/a/**"], deny: ["/a/s/**"] }], "fs-read", "/a/s", false],
    [[{ permission: "fs-read", deny: ["/a"] }], "fs-read", "/b", false],
    [[{ permission: "network", domains: ["*.github.com"] }], "network", "api.github.com:443", true],
    [[{ permission: "network", domains: ["*.github.com"] }], "network", "github.com:443", false],
    [[{ permission: "network", domains: ["*.github.com"] }], "network", "evilgithub.com:443", false],
    [[{ permission: "network", domains: ["github.com"] }], "network", "GITHUB.com.:443", true],
    [[{ permission: "network", domains: ["127.0.0.1"] }], "network", "2130706433:80", true],
    [[{ permission: "network", domains: ["*"], deny: ["127.0.0.1"] }], "network", "0x7f.1:80", false],
    [[{ permission: "network", domains: ["example.org:443"] }], "network", "example.org:80", false],
    [
      [{ permission: "shell:execute", allow: [{ command: "git" }] }],
      "shell:execute",
      '{"command":"git","args":["x"]}',
      true,
    ],
    [
      [{ permission: "shell:execute", allow: [{ command: "git", args: ["clone"] }] }],
      "shell:execute",
      '{"command":"git","args":["clone","--upload-pack=x"]}',
      false,
    ],
    [[{ permission: "service:call", allow: ["math"] }], "service:call", "math/a/b", true],
    [[{ permission: "service:call", allow: ["math"] }], "service:call", "mathematics/a/b", false],
    [["storage"], "storage", undefined, true],
    [[], "storage", undefined, false],
  ];
  for (const [permissions, name, resource, expected] of cases) {
    test(`${JSON.stringify(permissions)} and ${name} ${resource ?? ""}: ${expected ? "yes" : "no"}`, () => {
      expect(isAllowed(read(...permissions), name, resource)).toBe(expected);
    });
  }
});
