import { afterEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "../../tests/support/sandbox.js";
import { knownFolders } from "./folders.js";
import { Workspace } from "./workspace.js";

const sandbox = new Sandbox();
afterEach(() => sandbox.remove());

test("a workspace that cannot be made is gone, and its name is free", () => {
  // The system takes paths of 4095 bytes: the workspace has one, a file in it has not.
  const rest = 4095 - sandbox.dataDir.length - "/greeter".length;
  const names = Array<string>(Math.floor((rest - 2) / 201)).fill("d".repeat(200));
  names.push("d".repeat(rest - names.length * 201 - 1));
  const staging = join(sandbox.dataDir, ...names);
  mkdirSync(staging, { recursive: true });
  const folders = { ...knownFolders(sandbox.dataDir, sandbox.servicesDir), staging };
  for (const _ of ["once", "again"]) {
    expect(() => Workspace.open(folders, "greeter")).toThrow("ENAMETOOLONG");
    expect(readdirSync(staging)).toEqual([]);
  }
});
