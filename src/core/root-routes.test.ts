import { expect, test } from "bun:test";
import { specificity } from "./root-routes.js";

test.each([
  ["*", 0],
  ["/*", 1],
  ["/", 1.5],
  ["/:page", 1.25],
  ["/page/:id", 6.25],
  ["/page/*", 6],
  ["/ui/*", 4],
  ["/ui", 3.5],
  ["/extension.js", 13.5],
])("%s counts %d", (route, length) => {
  expect(specificity(route)).toBe(length);
});
