import { describe, expect, test } from "bun:test";
import type { RouteEntry } from "../model.js";
import { buildRequest, curlOf, valuesOf } from "./request.js";

function route(method: string, path: string, docs: Partial<RouteEntry> = {}): RouteEntry {
  return { id: `${method}${path}`, method, path, route: path, auth: true, ...docs };
}
const urlOf = (path: string, params: Record<string, string>, query = {}) =>
  buildRequest(route("GET", path), { method: "GET", params, query, body: undefined }).url;

describe("buildRequest", () => {
  test("fills in parameters so that they stay one segment", () => {
    expect(urlOf("/a/:id/b/:n?", { id: "x/../y?z#", n: "ü" })).toBe("/a/x%2F..%2Fy%3Fz%23/b/%C3%BC");
    expect(urlOf("/a/:id?", {})).toBe("/a");
    expect(urlOf("/files/*", { wildcard: "a b/c" })).toBe("/files/a%20b/c");
    expect(urlOf("/x/*/y/*", { wildcard: "a/b", wildcard2: "c/d" })).toBe("/x/a%2Fb/y/c/d");
    expect(urlOf("/*/*", { wildcard: "a/b", wildcard2: "c/d" })).toBe("/a%2Fb/c/d");
    expect(urlOf("/a/:constructor", {})).toBe("/a/");
  });

  test("leaves out empty query fields", () => {
    expect(urlOf("/a", {}, { q: "x & y", empty: "" })).toBe("/a?q=x+%26+y");
  });

  test("sends a body only with methods that take one", () => {
    const entry = route("ALL", "/a", { body: { n: { type: "number", description: "" } } });
    const values = { ...valuesOf(entry), body: "{}" };
    expect(buildRequest(entry, { ...values, method: "GET" })).toMatchObject({ body: undefined, headers: {} });
    expect(buildRequest(entry, { ...values, method: "PUT" })).toMatchObject({
      body: "{}",
      headers: { "Content-Type": "application/json" },
    });
  });
});

describe("valuesOf", () => {
  test("begins with the fields that are needed", () => {
    const body = {
      title: { type: "string", required: true, description: "" },
      tags: { type: "string[]", required: true, description: "" },
      kind: { type: '"a" | "b"', required: true, description: "" },
      note: { type: "string", description: "" },
    };
    const values = valuesOf(route("POST", "/a", { body }));
    expect(JSON.parse(values.body as string)).toEqual({ title: "", tags: [], kind: "a" });
  });

  test("takes an example as it is", () => {
    const headers = { Accept: "text/plain" };
    const example = { params: { id: "1" }, query: { limit: 5, deep: true }, body: [1], headers };
    expect(buildRequest(route("POST", "/:id"), valuesOf(route("POST", "/:id"), example)).headers).toEqual({
      Accept: "text/plain",
      "Content-Type": "application/json",
    });
    expect(valuesOf(route("POST", "/:id"), example)).toMatchObject({
      params: { id: "1" },
      query: { limit: "5", deep: "true" },
      body: "[\n  1\n]",
    });
  });
});

test("a curl line says to a shell exactly what was filled in", async () => {
  const text = `it's "$HOME" \`id\` \\ @file\nnext`;
  const entry = route("POST", "/a", { body: {} });
  const request = buildRequest(entry, { method: "POST", params: {}, query: { q: "'; id '" }, body: text });
  const curl = curlOf(request, "http://localhost:1", true);
  const shell = Bun.spawn(["sh", "-c", `curl() { for word; do printf '%s\\0' "$word"; done; }; ${curl}`], {
    env: { VERS_AUTH_TOKEN: "the token", PATH: process.env.PATH },
  });
  const words = (await new Response(shell.stdout).text()).split("\0").slice(0, -1);
  expect(words).toEqual([
    "-X",
    "POST",
    "http://localhost:1/a?q=%27%3B+id+%27",
    "-H",
    "Authorization: Bearer the token",
    "-H",
    "Content-Type: application/json",
    "--data-raw",
    text,
  ]);
});
