import { expect, test } from "bun:test";
import { versionBefore } from "./versions.js";

const kept = (digest: string, served = true) => ({ digest, served, keptAt: "" });
const failure = { step: "load", code: "LOAD_FAILED", error: "no", at: "" };

test("the version before is the latest other one that served", () => {
  const versions = [kept("c"), kept("x", false), kept("b"), kept("a")];
  expect(versionBefore(versions, { digest: "c" })?.digest).toBe("b");
  expect(versionBefore([kept("c")], { digest: "c" })).toBeUndefined();
});

test("after a change that failed it is the one that runs", () => {
  expect(versionBefore([kept("c"), kept("b")], { digest: "b", failure })?.digest).toBe("b");
});
