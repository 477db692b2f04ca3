import { afterEach, describe, expect, test } from "bun:test";
import { FormatRegistry, Type } from "@sinclair/typebox";
import { Hono } from "hono";
import { createTestHarness } from "../testing.js";
import { checkValue, readBody } from "../validate.js";

const OWN = "formats-test";
afterEach(() => void FormatRegistry.Delete(OWN));

const check = (format: string, at: string) =>
  checkValue(Type.Object({ at: Type.String({ format }) }), { at }, "the request body").at;

describe("a format in a schema", () => {
  test.each([
    ["date-time", "2024-01-01T00:00:00Z", "2024-02-30T00:00:00Z"],
    ["date", "2024-02-29", "2023-02-29"],
    ["time", "12:00:00Z", "noon"],
    ["email", "ada@example.com", "ada"],
    ["uri", "https://example.com/a?b#c", "example"],
    ["uuid", "019a0000-0000-7000-8000-000000000001", "019a"],
    ["hostname", "example.com", "-"],
    ["ipv4", "127.0.0.1", "127.0.0.256"],
    ["ipv6", "::1", "::g"],
  ])("is checked: %s", (format, good, bad) => {
    expect(check(format, good)).toBe(good);
    expect(() => check(format, bad)).toThrow(`at must be a string in the format ${format}, not "${bad}"`);
  });

  test("fits no text of more than 10,000 characters, however long that would take to see", () => {
    expect(check("json-pointer", "/".repeat(10_000))).toHaveLength(10_000);
    expect(() => check("json-pointer", "/".repeat(10_001))).toThrow("at must be a string in the format");
  });

  test("is not known where a check of it takes time that grows with the square of the text", () => {
    expect(() => check("uri-template", "/a")).toThrow('unknown schema format "uri-template"');
  });

  test("that nobody knows is the author's mistake, and is known once it is registered", async () => {
    const routes = new Hono();
    const Body = Type.Object({ list: Type.Optional(Type.Array(Type.String({ format: OWN }))) });
    routes.post("/", async (c) => c.json(await readBody(c, Body)));
    const t = await createTestHarness({ services: [{ name: "forms", routes }] });
    const post = () => t.json("/forms", { auth: true, body: { list: ["x"] } });
    const refused = await post();
    const logged = t.logs.lines("forms").map(({ text }) => text);
    FormatRegistry.Set(OWN, (text) => text === "x");
    const accepted = await post();
    await t.cleanup();
    expect(refused.status).toBe(500);
    expect(logged.join("\n")).toContain(`unknown schema format "${OWN}"`);
    expect([accepted.status, accepted.data]).toEqual([200, { list: ["x"] }]);
  });

  test("may be the name of a property, or stand in a default", () => {
    const Named = Type.Object({ format: Type.String({ default: "none" }) }, { default: { format: "none" } });
    expect(checkValue(Named, { format: "any" })).toEqual({ format: "any" });
  });

  test("is checked in a schema that holds itself, as a default may", () => {
    const Looped = Type.Object({ at: Type.String({ format: "date" }) }, { default: {} });
    Looped.default.self = Looped;
    expect(checkValue(Looped, { at: "2024-02-29" })).toEqual({ at: "2024-02-29" });
    expect(() => checkValue(Looped, { at: "noon" })).toThrow("at must be a string in the format date");
  });

  test("is checked beside a bound on repeated items in a schema that holds itself", () => {
    const items = Type.Array(Type.String({ format: "date" }), { uniqueItems: true });
    const Looped = Type.Object({ items }, { default: {} });
    Looped.default.self = Looped;
    expect(checkValue(Looped, { items: ["2024-02-29"] })).toEqual({ items: ["2024-02-29"] });
    expect(() => checkValue(Looped, { items: ["2024-02-29", "2024-02-29"] })).toThrow("items");
  });
});
