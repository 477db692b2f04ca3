import { expect, test } from "bun:test";
import { given } from "./tool-params.js";

test("empty texts, and what is undefined, are not given; everything else is", () => {
  expect(given({ name: "", reason: undefined })).toEqual({});
  expect(Object.keys(given({ name: "", reason: undefined, force: false }))).toEqual(["force"]);
  const params = { blank: " ", none: null, zero: 0, no: false, list: [], texts: [""] };
  expect(given(params)).toEqual(params);
});

test("what parameters hold is left as it is", () => {
  const params = { metadata: { note: "" }, items: [{ label: "" }] };
  expect(given(params)).toEqual(params);
  expect(given({ ...params, q: "" }).metadata).toBe(params.metadata);
});

test("a parameter may have any name, and the parameters that came are not changed", () => {
  const params = JSON.parse('{ "__proto__": "x", "q": "" }');
  expect(Object.entries(given(params))).toEqual([["__proto__", "x"]]);
  expect(params.q).toBe("");
});
