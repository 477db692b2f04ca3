import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TSchema, Type } from "@sinclair/typebox";
import { compileSchema, SchemaError } from "./schema.js";

interface Suite {
  description: string;
  schema: unknown;
  tests: { description: string; data: unknown; valid: boolean }[];
}

const folder = join(import.meta.dir, "../../node_modules/json-schema-test-suite/tests/draft4");

/** Where draft-04 differs from the dialects we claim, or asks for what we refuse: each must be refused, loudly. */
const REFUSED = new Set([
  "exclusiveMaximum validation",
  "exclusiveMinimum validation",
  "maximum validation (explicit false exclusivity)",
  "minimum validation (explicit false exclusivity)",
  "remote ref, containing refs itself",
  "remote ref",
  "fragment within remote ref",
  "ref within remote ref",
  "change resolution scope",
  "valid definition",
  "invalid definition",
  "escaped pointer ref",
]);

/** Cases whose answer the later dialects changed. */
const CHANGED = new Set(["a float is not an integer even without fractional part"]);

describe("the official cases for keywords that kept their meaning since draft-04", () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    for (const suite of JSON.parse(readFileSync(join(folder, file), "utf8")) as Suite[]) {
      test(`${file}: ${suite.description}`, () => {
        if (REFUSED.has(suite.description)) {
          expect(() => compileSchema(suite.schema)).toThrow(SchemaError);
          return;
        }
        const schema = compileSchema(suite.schema);
        const wrong = suite.tests.filter(
          ({ description, data, valid }) => !CHANGED.has(description) && schema.check(data) !== valid,
        );
        expect(wrong).toEqual([]);
        for (const { data } of suite.tests) expect(schema.issues(data).length === 0).toBe(schema.check(data));
      });
    }
  }
});

// biome-ignore-start lint/suspicious/noThenProperty: a keyword of JSON Schema
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: meant as it stands
const LATER: [name: string, schema: unknown, fits: unknown[], not: unknown[]][] = [
  ["boolean schemas", { properties: { a: true, b: false } }, [{}, { a: 1 }], [{ b: 1 }]],
  ["const", { const: { a: [1] } }, [{ a: [1] }], [{ a: [2] }, null]],
  ["exclusive bounds", { exclusiveMinimum: 1, exclusiveMaximum: 3 }, [2, "x"], [1, 3]],
  [
    "contains",
    { contains: { const: 5 }, minContains: 2, maxContains: 3 },
    [
      [5, 5],
      [5, 5, 5, 1],
    ],
    [[5], [5, 5, 5, 5]],
  ],
  ["propertyNames", { propertyNames: { pattern: "^[a-z]+$" } }, [{ abc: 1 }], [{ A: 1 }]],
  [
    "if, then, else",
    { if: { type: "number" }, then: { minimum: 0 }, else: { type: "string" } },
    [1, "a"],
    [-1, null],
  ],
  [
    "prefixItems",
    { prefixItems: [{ type: "number" }], items: { type: "string" } },
    [[1, "a"], []],
    [["a"], [1, 2]],
  ],
  ["items as a list", { items: [{ type: "number" }], additionalItems: false }, [[1]], [["a"], [1, 2]]],
  ["dependentRequired", { dependentRequired: { a: ["b"] } }, [{ b: 1 }, { a: 1, b: 1 }], [{ a: 1 }]],
  ["dependentSchemas", { dependentSchemas: { a: { required: ["b"] } } }, [{}, { a: 1, b: 1 }], [{ a: 1 }]],
  ["anchors", { $ref: "#n", $defs: { n: { $anchor: "n", type: "number" } } }, [1], ["1"]],
  ["siblings of $ref", { $ref: "#/$defs/n", maximum: 5, $defs: { n: { type: "number" } } }, [5], [6, "a"]],
  [
    "recursion through a value",
    { properties: { next: { $ref: "#" } }, additionalProperties: false },
    [{ next: {} }],
    [{ next: { x: 1 } }],
  ],
  ["formats", { format: "date-time" }, ["2026-01-02T03:04:05Z"], ["yesterday"]],
  ["integers", { type: "integer" }, [1, 1.0], [1.5, "1"]],
  ["several types", { type: ["null", "array"] }, [null, []], [{}, 0]],
  [
    "names that look like code",
    { required: ['"];throw 1;//', "`${1}`", "\u2028"] },
    [{ '"];throw 1;//': 1, "`${1}`": 1, "\u2028": 1 }],
    [{}],
  ],
];

// biome-ignore-end lint/suspicious/noThenProperty: see above
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above

describe("keywords of the later dialects", () => {
  for (const [name, schema, fits, not] of LATER) {
    test(name, () => {
      const compiled = compileSchema(schema);
      for (const value of fits) expect({ value, fits: compiled.check(value) }).toEqual({ value, fits: true });
      for (const value of not) expect({ value, fits: compiled.check(value) }).toEqual({ value, fits: false });
    });
  }
});

describe("what would not be checked as it was meant is refused", () => {
  const cases: [schema: unknown, pointer: string, words: string][] = [
    [{ $ref: "#/nowhere" }, "/$ref", "does not exist in this schema"],
    [{ $ref: "other.json" }, "/$ref", "does not exist in this schema"],
    [
      { properties: { a: { $ref: "#/required" } }, required: [] },
      "/properties/a/$ref",
      "does not exist in this schema",
    ],
    [{ $ref: "#" }, "", "itself"],
    [{ allOf: [{ $ref: "#/$defs/a" }], $defs: { a: { anyOf: [{ $ref: "#" }] } } }, "", "itself"],
    [{ properties: { a: { tpye: "string" } } }, "/properties/a/tpye", "not supported"],
    [{ unevaluatedProperties: false }, "/unevaluatedProperties", "not supported"],
    [{ $dynamicRef: "#x" }, "/$dynamicRef", "not supported"],
    [{ type: "strin" }, "/type", "must be of"],
    [{ pattern: "(" }, "/pattern", "not a regular expression"],
    [{ pattern: "^(a+)+$" }, "/pattern", "unbounded time"],
    [{ patternProperties: { "([a-z]*)*": true } }, "/patternProperties/([a-z]*)*", "unbounded time"],
    [{ format: "color" }, "/format", "not supported"],
    [{ minLength: -1 }, "/minLength", "at least 0"],
    [{ multipleOf: 0 }, "/multipleOf", "greater than 0"],
    [{ required: "a" }, "/required", "list of strings"],
    [{ $schema: "http://json-schema.org/draft-04/schema#" }, "/$schema", "dialect"],
    [{ anyOf: [] }, "/anyOf", "list of schemas"],
    [{ properties: { a: 7 } }, "/properties/a", "object or a boolean"],
    [{ required: ["toString"] }, "/required", "a built-in property of every object"],
    ["text", "", "object or a boolean"],
  ];
  for (const [schema, pointer, words] of cases) {
    test(JSON.stringify(schema), () => {
      let thrown: unknown;
      try {
        compileSchema(schema);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(SchemaError);
      expect((thrown as SchemaError).pointer).toBe(pointer);
      expect((thrown as SchemaError).message).toContain(words);
    });
  }

  test("patterns that merely group and repeat are fine", () => {
    for (const pattern of ["^(foo|bar)+$", "^[a-z](-[a-z]{1,8})*$", "(?:a){2}", "\\(a+\\)+", "[(a+)]+"]) {
      expect(() => compileSchema({ pattern })).not.toThrow();
    }
  });
});

test("schemas made with TypeBox are taken as they are", () => {
  const schema: TSchema = Type.Object({
    a: Type.Number(),
    b: Type.Optional(Type.Union([Type.Literal("x"), Type.Null()])),
  });
  const compiled = compileSchema(schema);
  expect(compiled.check({ a: 1, b: "x" })).toBe(true);
  expect(compiled.issues({ a: "1" }).map(({ path }) => path)).toEqual(["/a"]);
});

test("issues name places by JSON pointer and are not endless", () => {
  const compiled = compileSchema({ items: { properties: { "a/b": { type: "number" } } } });
  const issues = compiled.issues(Array.from({ length: 100 }, () => ({ "a/b": "x" })));
  expect(issues[0]?.path).toBe("/0/a~1b");
  expect(issues.length).toBeLessThan(20);
});

test("issues say what is allowed and what is not", () => {
  const { issues } = compileSchema({
    properties: { state: { enum: ["on", "off"] } },
    additionalProperties: false,
  });
  expect(issues({ state: "up", extra: 1 })).toEqual([
    { path: "/extra", message: "is not allowed" },
    { path: "/state", message: 'must be "on" or "off"' },
  ]);
});

test("a value that is nested deeper than can be checked does not fit, and is no reason to throw", () => {
  const schema = compileSchema({ type: "array", items: { $ref: "#" } });
  let value: unknown[] = [];
  for (let depth = 0; depth < 100_000; depth++) value = [value];
  expect(schema.check(value)).toBe(false);
  expect(schema.issues(value)).toEqual([{ path: "", message: "is nested too deeply to check" }]);
  expect(schema.check([[], [[]]])).toBe(true);
});

test("a pattern that may take long for a long text matches none", () => {
  const spaces = `${" ".repeat(150_000)}x`;
  const { check, issues, schema } = compileSchema({ type: "string", pattern: "\\s+$" });
  expect([check(" "), check(spaces)]).toEqual([true, false]);
  expect(issues(spaces)[0]?.message).toContain("pattern");
  const base64 = compileSchema({ type: "string", pattern: "^[A-Za-z0-9+/]+={0,2}$" });
  expect([base64.check("QUJD".repeat(50_000)), base64.check(`${"QUJD".repeat(50_000)}!`)]).toEqual([
    true,
    false,
  ]);
  expect(schema).toEqual({ type: "string", pattern: "\\s+$" });
  const names = compileSchema({
    patternProperties: { "\\s+$": { type: "number" } },
  });
  const fits = [{ "a ": 1 }, { "a ": "x" }, { a: "x" }, { [spaces]: 1 }].map((value) => names.check(value));
  expect(fits).toEqual([true, false, true, false]);
  expect(names.issues({ [spaces]: 1 })[0]?.message).toContain("10000 characters");
});

test("references that double what is looked at with each other are refused", () => {
  const levels = Array.from({ length: 40 }, (_, n) => [
    `s${n}`,
    { allOf: [{ $ref: `#/$defs/s${n + 1}` }, { $ref: `#/$defs/s${n + 1}` }] },
  ]);
  const $defs = { ...Object.fromEntries(levels), s40: { type: "object" } };
  expect(() => compileSchema({ $ref: "#/$defs/s0", $defs })).toThrow("more than 10000 schemas");
});
