import { describe, expect, test } from "bun:test";
import { additionalPermissions, permissionsOf } from "./permissions.js";

describe("permissionsOf", () => {
  test.each([
    [undefined, []],
    [
      ["storage", "notifications", "storage"],
      ["notifications", "storage"],
    ],
    [[{ permission: "fs-read", allow: ["b", "a"] }], ["fs-read: a", "fs-read: b"]],
    [[{ permission: "network", domains: ["x.org"] }], ["network: domains x.org"]],
    [[{ permission: "notifications", deny: ["c"] }], ["notifications", "notifications: not c"]],
    [[{ permission: "fs:read", deny: ["c"] }], ["fs-read: not c"]],
    [["fetch"], ["network"]],
    [
      [{ permission: "shell:execute", allow: [{ command: "git", args: ["clone"] }] }],
      ['shell:execute: {"args":["clone"],"command":"git"}'],
    ],
    [[{ permission: "fs-read", allow: [] }], []],
  ])("%j", (declared, lines) => {
    expect(permissionsOf(declared)).toEqual(lines);
  });

  test.each([["storage"], [[1]], [[""]], [[{}]], [[null]], [{ storage: true }]])("refuses %j", (declared) => {
    expect(() => permissionsOf(declared)).toThrow("manifest");
  });
});

describe("additionalPermissions", () => {
  test.each([
    ["nothing new", ["storage"], ["storage"], []],
    ["fewer", ["storage", "network"], ["storage"], []],
    ["a new one", ["storage"], ["network", "storage"], ["network"]],
    ["a further scope", ["fs: a"], ["fs: a", "fs: b"], ["fs: b"]],
    ["a scope that is gone", ["fs: a", "fs: b"], ["fs: a"], []],
    ["scopes that become limitless", ["fs: a"], ["fs"], ["fs"]],
    ["limitless that becomes scoped", ["fs"], ["fs: a"], []],
    [
      "a scope of what allowed nothing",
      ["fs-read", "fs-read: not x"],
      ["fs-read: a", "fs-read: not x"],
      ["fs-read: a"],
    ],
    ["another spelling", ["fs:read: a"], ["fs-read: a"], []],
    [
      "a prohibition in another spelling that is gone",
      ["fs-read: a", "fs:read: not x"],
      ["fs-read: a"],
      ["fs-read: not x (no longer)"],
    ],
    ["a prohibition that is gone", ["fs", "fs: not x"], ["fs"], ["fs: not x (no longer)"]],
    ["a prohibition more", ["fs"], ["fs", "fs: not x"], []],
    ["a prohibition gone with its permission", ["fs", "fs: not x"], [], []],
  ])("%s", (_name, present, wanted, added) => {
    expect(additionalPermissions(present, wanted)).toEqual(added);
  });
});
