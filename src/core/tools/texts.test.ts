import { expect, test } from "bun:test";
import { textsOf } from "./texts.js";

test("half a character never reaches a model, whose provider would refuse the request: cut or given so, it is replaced", () => {
  const { label, description } = textsOf("board_add", "Add \ud83c", `a${"🎉".repeat(6000)}`);
  expect(label).toBe("Add \ufffd");
  expect(description).toHaveLength(10_000);
  expect(description).toEndWith("\ufffd… (12001 characters)");
});
