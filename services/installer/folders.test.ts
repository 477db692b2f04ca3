import { afterEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "../../tests/support/sandbox.js";
import { findFolders } from "./folders.js";

const sandbox = new Sandbox();
afterEach(() => sandbox.remove());

test("looking for the folders leaves nothing, nor what a process left that was killed while it looked", () => {
  const { dataDir, servicesDir } = sandbox;
  for (const folder of [servicesDir, join(dataDir, ".reef/installer")]) {
    mkdirSync(join(folder, ".reef-probe"), { recursive: true });
  }
  const { base } = findFolders(dataDir, servicesDir);
  expect([readdirSync(servicesDir), readdirSync(base)]).toEqual([[], []]);
});
