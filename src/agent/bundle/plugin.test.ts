import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CLIENT_SOURCES } from "./plugin.js";

const source = join(import.meta.dir, "..", "..");

test.each([...CLIENT_SOURCES])("what services may use in an agent is there: src/%s", (path) => {
  expect(existsSync(join(source, path))).toBe(true);
});
