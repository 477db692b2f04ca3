import { expect, test } from "bun:test";
import { Random } from "../../../tests/support/random.js";
import { isAllowed } from "./check.js";
import { canonical, intersect, type PermissionSet, permissionKey, type Scope } from "./set.js";

const CASES = 50_000;

const chance = new Random(20_260_101);
const pick = <T>(list: readonly T[]): T => chance.pick(list);
const several = <T>(list: readonly T[], most: number): T[] =>
  Array.from({ length: chance.below(most + 1) }, () => pick(list));

const VOCABULARY: Record<string, { rules: string[]; resources: string[] }> = {
  "fs-read": {
    rules: ["/a/**", "/a/*", "/a/b/**", "/a/b/c", "/**/c", "/a/.h/**", "/a/?", "/**"],
    resources: ["/a", "/a/b", "/a/b/c", "/a/.h/x", "/z/c", "/a/b/.env"],
  },
  "fs-write": { rules: ["/a/**", "/b/*", "/a/b"], resources: ["/a/x", "/b/y", "/a/b", "/b/y/z"] },
  network: {
    rules: ["*", "*.example.org", "example.org", "example.org:443", "127.0.0.1:80", "[::1]"],
    resources: ["example.org:443", "a.example.org:80", "127.0.0.1:80", "[::1]:443", "other.net:443"],
  },
  "shell:execute": {
    rules: ['{"command":"git"}', '{"command":"git","args":["log","**"]}', '{"command":"ls","args":["*"]}'],
    resources: [
      '{"command":"git","args":["log","-1"]}',
      '{"command":"git","args":["push"]}',
      '{"command":"ls","args":[]}',
    ],
  },
  "service:call": { rules: ["*", "a", "a/x/*", "b.*"], resources: ["a/x/m", "a/y/m", "b.c/x/m"] },
  "clipboard-read": { rules: [], resources: [] },
  storage: { rules: [], resources: [] },
};
const NAMES = Object.keys(VOCABULARY);

function randomScope(name: string): Scope {
  const { rules } = VOCABULARY[name] as { rules: string[] };
  if (rules.length === 0) return { allow: [], deny: [] };
  const lists = Array.from({ length: 1 + chance.below(2) }, () => several(rules, 3));
  return { allow: lists, deny: several(rules, 1) };
}

function randomSet(): PermissionSet {
  return canonical([...new Set(several(NAMES, 5))].map((name): [string, Scope] => [name, randomScope(name)]));
}

function randomQuestion(): [name: string, resource: string | undefined] {
  const name = pick(NAMES);
  const { resources } = VOCABULARY[name] as { resources: string[] };
  return [name, resources.length === 0 ? undefined : pick(resources)];
}

test(`the laws of the intersection hold in ${CASES} random cases`, () => {
  const seen = { allowed: 0, denied: 0 };
  for (let at = 0; at < CASES; at++) {
    const [a, b, c] = [randomSet(), randomSet(), randomSet()];
    const ab = intersect(a, b);
    const broken = (law: string) => `case ${at}: ${law} with ${JSON.stringify({ a, b, c })}`;
    if (permissionKey(ab) !== permissionKey(intersect(b, a))) throw new Error(broken("not commutative"));
    if (permissionKey(intersect(ab, c)) !== permissionKey(intersect(a, intersect(b, c)))) {
      throw new Error(broken("not associative"));
    }
    if (permissionKey(intersect(a, a)) !== permissionKey(a)) throw new Error(broken("not idempotent"));
    if (permissionKey(intersect(ab, a)) !== permissionKey(ab))
      throw new Error(broken("a party taken twice matters"));
    if (permissionKey(intersect(a, "all")) !== permissionKey(a))
      throw new Error(broken("all is not neutral"));
    const [name, resource] = randomQuestion();
    const [inA, inB, inBoth] = [a, b, ab].map((set) => isAllowed(set, name, resource));
    if (inBoth && !(inA && inB)) throw new Error(broken(`${name} ${resource} exceeds a party`));
    if (inA && inB && !inBoth) throw new Error(broken(`${name} ${resource} is lost though both allow it`));
    const denying = canonical([
      ...Object.entries(a),
      [name, { ...(a[name] ?? { allow: [] }), deny: denyAll(name, resource) }],
    ]);
    if (resource !== undefined && isAllowed(intersect(denying, b), name, resource))
      throw new Error(broken("deny lost"));
    seen[inBoth ? "allowed" : "denied"]++;
  }
  expect(seen.allowed).toBeGreaterThan(1_000);
  expect(seen.denied).toBeGreaterThan(1_000);
}, 120_000);

function denyAll(name: string, resource: string | undefined): string[] {
  if (resource === undefined) return [];
  if (name === "shell:execute")
    return [JSON.stringify({ command: (JSON.parse(resource) as { command: string }).command })];
  return [resource];
}
