import { describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { LoadFailure } from "./load-failure.js";
import { checkModule } from "./module-check.js";

const failureOf = (exported: unknown): LoadFailure => {
  try {
    checkModule(exported);
  } catch (error) {
    if (error instanceof LoadFailure) return error;
    throw error;
  }
  throw new Error("it was accepted");
};
const fn = () => undefined;

describe("what is not a module at all", () => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["object", null],
    ["string", "board"],
    ["number", 7],
    ["function", fn],
    ["an array", []],
  ])("%s", (shown, exported) => {
    expect(failureOf(exported)).toMatchObject({ code: "NO_DEFAULT_EXPORT", step: "check" });
    expect(failureOf(exported).message).toContain(shown);
  });

  test("an object without a name", () => {
    expect(failureOf({})).toMatchObject({ code: "BAD_NAME" });
  });
});

describe("a field of the wrong type is named", () => {
  test.each<[string, unknown]>([
    ["description", 7],
    ["description", null],
    ["routes", {}],
    ["routes", fn],
    ["routes", { fetch: fn }],
    ["routes", "/"],
    ["mountAtRoot", "yes"],
    ["requiresAuth", "false"],
    ["requiresAuth", 0],
    ["requiresAuth", null],
    ["store", fn],
    ["store", []],
    ["store", { flush: true }],
    ["store", { close: "now" }],
    ["init", {}],
    ["init", null],
    ["dispose", "x"],
    ["registerTools", []],
    ["registerBehaviors", {}],
    ["widget", fn],
    ["widget", {}],
    ["widget", { getLines: [] }],
    ["routeDocs", []],
    ["routeDocs", { "GET /": "lists" }],
    ["dependencies", "feed"],
    ["dependencies", [7]],
    ["dependencies", [""]],
    ["capabilities", {}],
  ])("%s: %p", (field, value) => {
    const failure = failureOf({ name: "x", [field]: value });
    expect(failure).toMatchObject({ code: "BAD_FIELD", step: "check" });
    expect(failure.message).toStartWith(`${field} of "x" takes `);
  });
});

describe("what is accepted", () => {
  test("a name alone", () => {
    const module = { name: "x" };
    expect<unknown>(checkModule(module)).toBe(module);
  });

  test("every field, and fields that Reef does not know", () => {
    const module = {
      name: "x",
      description: "",
      routes: new Hono(),
      mountAtRoot: false,
      requiresAuth: false,
      store: { flush: fn, close: fn, other: 1 },
      init: fn,
      dispose: async () => undefined,
      registerTools: fn,
      registerBehaviors: fn,
      widget: { getLines: async () => [] },
      routeDocs: { "GET /": { summary: "lists" } },
      dependencies: ["feed"],
      capabilities: ["ops"],
      anythingElse: Symbol("s"),
    };
    expect<unknown>(checkModule(module)).toBe(module);
  });

  test("a store that is an instance of a class", () => {
    class Store {
      flush = fn;
    }
    expect(checkModule({ name: "x", store: new Store() }).store).toBeInstanceOf(Store);
  });

  test("undefined in any field", () => {
    expect(() =>
      checkModule({ name: "x", routes: undefined, store: undefined, init: undefined }),
    ).not.toThrow();
  });
});
