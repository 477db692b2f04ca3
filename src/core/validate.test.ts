import { describe, expect, test } from "bun:test";
import { type TSchema, Type } from "@sinclair/typebox";
import { Hono } from "hono";
import { createTestHarness } from "./testing.js";
import { checkValue, readBody, readQuery } from "./validate.js";

const Item = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 5, pattern: "\\S" }),
    state: Type.Optional(Type.Union([Type.Literal("new"), Type.Literal("old"), Type.Literal("lost")])),
    owner: Type.Optional(Type.Union([Type.String({ maxLength: 3 }), Type.Null()])),
    tags: Type.Optional(Type.Array(Type.String({ pattern: "^[a-z]+$" }), { maxItems: 2, uniqueItems: true })),
    size: Type.Optional(Type.Object({ width: Type.Integer({ minimum: 1, maximum: 9 }) })),
  },
  { additionalProperties: false },
);

function messageFor(value: unknown, schema: TSchema = Item): string {
  try {
    checkValue(schema, value, "the request body");
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
}

describe("checkValue", () => {
  const cases: Array<[string, unknown, string]> = [
    ["a fitting value", { name: "a", owner: null, tags: ["x"], size: { width: 1 } }, "accepted"],
    ["no object", [1], "the request body must be an object, not an array of 1 item"],
    ["null", null, "the request body must be an object, not null"],
    ["a missing field", {}, "name is required: a string of 1 to 5 characters that is not blank"],
    ["a wrong type", { name: 7 }, "name must be a string of 1 to 5 characters that is not blank, not 7"],
    ["an empty text", { name: "" }, 'name must be a string of 1 to 5 characters that is not blank, not ""'],
    [
      "a blank text",
      { name: "  " },
      'name must be a string of 1 to 5 characters that is not blank, not "  "',
    ],
    [
      "a long text",
      { name: "x".repeat(99) },
      "name must be a string of 1 to 5 characters that is not blank, not a string of 99 characters",
    ],
    [
      "an unlisted value",
      { name: "a", state: "odd" },
      'state must be one of "new", "old", "lost", not "odd"',
    ],
    [
      "a nullable field",
      { name: "a", owner: 5 },
      "owner must be a string of at most 3 characters or null, not 5",
    ],
    ["an item", { name: "a", tags: ["x", "B"] }, 'tags[1] must be a string that matches ^[a-z]+$, not "B"'],
    [
      "a repetition",
      { name: "a", tags: ["x", "x"] },
      "tags must be an array of at most 2 items without duplicates, not an array of 2 items",
    ],
    [
      "a nested field",
      { name: "a", size: { width: 0.5 } },
      "size.width must be a whole number from 1 to 9, not 0.5",
    ],
    [
      "an unknown field",
      { name: "a", colour: 1 },
      "colour is not a known field; known: name, state, owner, tags, size",
    ],
    [
      "an inherited name",
      JSON.parse('{"name":"a","__proto__":{"x":1}}'),
      "__proto__ is not a known field; known: name, state, owner, tags, size",
    ],
    [
      "several fields",
      { state: "odd", owner: 5 },
      'name is required: a string of 1 to 5 characters that is not blank; state must be one of "new", "old", "lost", not "odd"; owner must be a string of at most 3 characters or null, not 5',
    ],
  ];
  test.each(cases)("%s", (_name, value, message) => {
    expect(messageFor(value)).toBe(message);
  });

  const Login = Type.Object({
    apiToken: Type.Optional(Type.String({ pattern: "^[!-~]+$" })),
    credentials: Type.Optional(Type.Object({ user: Type.String({ maxLength: 3 }) })),
    pin: Type.Optional(Type.Union([Type.String({ maxLength: 4 }), Type.Null()], { writeOnly: true })),
    maxTokens: Type.Optional(Type.Integer({ maximum: 9 })),
    code: Type.Optional(Type.Integer({ maximum: 9, writeOnly: true })),
  });
  test.each<[unknown, string]>([
    [{ apiToken: "hush1 " }, "apiToken must be a string that matches ^[!-~]+$, not a string of 6 characters"],
    [{ apiToken: 12345 }, "apiToken must be a string that matches ^[!-~]+$, not a number"],
    [{ apiToken: ["hush1"] }, "apiToken must be a string that matches ^[!-~]+$, not an array of 1 item"],
    [
      { credentials: { user: "hush1" } },
      "credentials.user must be a string of at most 3 characters, not a string of 5 characters",
    ],
    [{ pin: "hush1" }, "pin must be a string of at most 4 characters or null, not a string of 5 characters"],
    [{ pin: 12345 }, "pin must be a string of at most 4 characters or null, not a number"],
    [{ code: 12345 }, "code must be a whole number of at most 9, not a number"],
    [{ maxTokens: 12345 }, "maxTokens must be a whole number of at most 9, not 12345"],
  ])("a value that is secret by its field's name or schema is not shown: %j", (value, message) => {
    expect(messageFor(value, Login)).toBe(message);
  });

  test("shows only the first problems and the start of long names", () => {
    const message = messageFor({ name: "a", ["k".repeat(1000)]: 1, b: 1, c: 1, d: 1 });
    expect(message.match(/not a known field/g)).toHaveLength(3);
    expect(message.length).toBeLessThan(400);
  });

  test("says what an object needs at least", () => {
    const patch = Type.Object({ a: Type.Optional(Type.Number()) }, { minProperties: 1 });
    expect(() => checkValue(patch, {}, "the request body")).toThrow(
      "must be an object with at least 1 of: a, not an empty object",
    );
  });
});

/** An array that counts how often its items are looked at. */
function watched(items: unknown[]): { array: unknown[]; looks(): number } {
  let looks = 0;
  const array = new Proxy(items, {
    get: (target, key, receiver) => {
      if (typeof key === "string" && /^\d+$/.test(key)) looks++;
      return Reflect.get(target, key, receiver);
    },
  });
  return { array, looks: () => looks };
}

describe("what costs much is not looked for where a bound is exceeded:", () => {
  const tags = Type.Array(Type.String({ maxLength: 3 }), { maxItems: 9, uniqueItems: true });
  test.each([
    [
      "too many items",
      Array.from({ length: 500 }, (_, n) => String(n)),
      "tags must be an array of at most 9 items without duplicates, not an array of 500 items",
    ],
    [
      "an item that is too long",
      ["abcd", "abcd"],
      'tags[0] must be a string of at most 3 characters, not "abcd"; tags[1] must be a string of at most 3 characters, not "abcd"',
    ],
  ])("repetitions among %s", (_what, items, message) => {
    const { array, looks } = watched(items);
    expect(messageFor({ tags: array }, Type.Object({ tags }))).toBe(message);
    // Once for the bound of each, once for the message.
    expect(looks()).toBeLessThanOrEqual(2 * items.length);
  });

  test("repetitions while another field is wrong", () => {
    const { array, looks } = watched(["a", "b", "c"]);
    const schema = Type.Object({ tags, size: Type.Number() });
    expect(messageFor({ tags: array, size: "big" }, schema)).toBe('size must be a number, not "big"');
    expect(looks()).toBeLessThanOrEqual(6);
  });

  test("repetitions in the second of two fields that have the same schema", () => {
    const { array, looks } = watched(["a", "b", "c"]);
    const schema = Type.Object({ first: tags, second: tags, size: Type.Number() });
    const value = { first: [], second: array, size: "big" };
    expect(messageFor(value, schema)).toBe('size must be a number, not "big"');
    expect(looks()).toBeLessThanOrEqual(6);
  });
});

describe("readBody and readQuery", () => {
  const Filter = Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1 })),
      open: Type.Optional(Type.Boolean()),
      tag: Type.Optional(Type.Array(Type.String())),
      name: Type.Optional(Type.String()),
    },
    { additionalProperties: false },
  );
  const routes = new Hono()
    .post("/", async (c) => c.json(await readBody(c, Item)))
    .post("/open", async (c) => c.json(await readBody(c, Type.Unknown())))
    .post("/any", async (c) => c.json(await readBody(c, Type.Array(Type.Number()))))
    .get("/", (c) => c.json(readQuery(c, Filter)));

  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const invalidUtf8 = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]);
  const cases: Array<[string, string, unknown, number, unknown]> = [
    ["a fitting body", "/t", { name: "a" }, 200, { name: "a" }],
    ["broken JSON", "/t", '{"name":', 400, /^the request body is not valid JSON: /],
    ["invalid UTF-8", "/t", invalidUtf8, 400, /^the request body is not valid JSON$/],
    [
      "JSON nested too deeply",
      "/t/open",
      nested(100_000),
      400,
      "the request body is nested too deeply: 1000 levels at most",
    ],
    ["JSON nested one level too deeply", "/t/open", nested(1001), 400, /1000 levels at most$/],
    ["JSON nested as deeply as it may be", "/t/open", nested(1000), 200, JSON.parse(nested(1000))],
    [
      "brackets in texts",
      "/t/open",
      JSON.stringify(`\\"${"[{".repeat(5000)}`),
      200,
      `\\"${"[{".repeat(5000)}`,
    ],
    ["an empty body", "/t", "", 400, /^name is required/],
    ["an empty body where no object is expected", "/t/any", "", 400, /^the request body is not valid JSON/],
    ["a body of another type", "/t/any", { a: 1 }, 400, "the request body must be an array, not an object"],
    ["no parameters", "/t", undefined, 200, {}],
    [
      "converted parameters",
      "/t?limit=5&open=false&tag=a&name=7",
      undefined,
      200,
      { limit: 5, open: false, tag: ["a"], name: "7" },
    ],
    ["a repeated list", "/t?tag=a&tag=b", undefined, 200, { tag: ["a", "b"] }],
    [
      "a repeated single value",
      "/t?name=a&name=b",
      undefined,
      400,
      "name must be a string, not an array of 2 items",
    ],
    ["a fraction", "/t?limit=5.5", undefined, 400, "limit must be a whole number of at least 1, not 5.5"],
    ["no number", "/t?limit=", undefined, 400, 'limit must be a whole number of at least 1, not ""'],
    ["no boolean", "/t?open=yes", undefined, 400, 'open must be true or false, not "yes"'],
    [
      "an unknown parameter",
      "/t?__proto__=1",
      undefined,
      400,
      "__proto__ is not a known field; known: limit, open, tag, name",
    ],
  ];
  test.each(cases)("%s", async (_name, path, body, status, expected) => {
    const t = await createTestHarness({ services: [{ name: "t", routes }] });
    const reply = await t.json(path, { auth: true, body });
    await t.cleanup();
    expect(reply.status).toBe(status);
    if (status === 200) expect(reply.data).toEqual(expected);
    else if (expected instanceof RegExp) expect(reply.data.error).toMatch(expected);
    else expect(reply.data).toEqual({ error: expected });
  });
});
