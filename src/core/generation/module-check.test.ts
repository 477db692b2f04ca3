import { describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { LoadFailure } from "../load-failure.js";
import type { ServiceModule } from "../types.js";
import { checkModule, settleModule } from "./module-check.js";

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

  test("an app, which says where it belongs", () => {
    const { code, message } = failureOf(new Hono());
    expect(code).toBe("NO_DEFAULT_EXPORT");
    expect(message).toBe(
      "index.ts exports an app by default; the default export must be a ServiceModule object: { name, routes: app }.",
    );
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
    expect(failure.message).toStartWith(`${field} of "x" must be `);
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

describe("a field that is computed", () => {
  class Moody {
    asked = 0;

    get name() {
      return this.asked++ === 0 ? "x" : "health";
    }
  }

  test("says for ever what it said when the module was settled", () => {
    let given: string[] | undefined;
    const module = Object.defineProperty(new Moody(), "dependencies", {
      configurable: true,
      get: () => {
        if (given?.length === 2) throw new Error("late");
        return given;
      },
    });
    const checked = checkModule(module);
    expect(checked.name).toBe("x");
    given = ["feed"];
    settleModule(checked);
    given = ["feed", "board"];
    expect<unknown>(checked).toBe(module);
    expect([checked.name, checked.dependencies]).toEqual(["x", ["feed"]]);
  });

  test("leaves what is none as it is, to be set anew", () => {
    const module = checkModule(Object.assign(new Moody(), { description: "first" }));
    settleModule(module);
    module.description = "second";
    expect(module.description).toBe("second");
  });

  const throwing = {
    get description(): string {
      throw new Error("no words");
    },
  };
  const frozen = Object.freeze({
    name: "x",
    get description() {
      return "";
    },
  });
  test.each<[string, object, RegExp]>([
    [
      "throws",
      Object.assign(Object.create(throwing), { name: "x" }),
      /^description of "x" cannot be read: no words$/,
    ],
    ["has come to be of another type", { name: "x", store: { flush: 1 } }, /^store of "x" must be /],
    ["cannot be kept", frozen, /^description of "x" must be a plain value/],
  ])("is refused where it %s", (_what, module, reason) => {
    expect(() => settleModule(module as ServiceModule)).toThrow(reason);
  });
});
