import { expect, test } from "bun:test";
import { FailureLimit } from "./guard.js";

test("an address that has failed too often waits, others do not", () => {
  let now = 0;
  const limit = new FailureLimit(3, 1000, () => now);
  const refused = (address: string) => {
    try {
      limit.assert(address);
      return false;
    } catch {
      return true;
    }
  };
  for (let index = 0; index < 3; index++) {
    expect(refused("1.1.1.1")).toBe(false);
    limit.failed("1.1.1.1");
  }
  expect(refused("1.1.1.1")).toBe(true);
  expect(refused("2.2.2.2")).toBe(false);
  now = 1000;
  expect(refused("1.1.1.1")).toBe(false);
  limit.failed("1.1.1.1");
  expect(refused("1.1.1.1")).toBe(false);
});
