import { afterAll, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { dirname } from "node:path";
import { findChromium } from "../scripts/chromium.mjs";
import { Sandbox } from "./support/sandbox.js";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

function program(path: string): string {
  const file = sandbox.write(path, "#!/bin/sh\n");
  chmodSync(file, 0o755);
  return file;
}

test("a browser is found on the path, by its best name", () => {
  const chrome = program("one/google-chrome");
  const chromium = program("two/chromium");
  const PATH = `${dirname(chrome)}:${dirname(chromium)}`;
  expect(findChromium({ PATH })).toBe(chromium);
  expect(findChromium({ PATH: dirname(chrome) })).toBe(chrome);
});

test("CHROMIUM_PATH decides alone, and what cannot be run is none", () => {
  const chromium = program("two/chromium");
  const text = sandbox.write("plain/chromium", "not a program");
  expect(findChromium({ PATH: "", CHROMIUM_PATH: chromium })).toBe(chromium);
  expect(findChromium({ PATH: dirname(chromium), CHROMIUM_PATH: text })).toBeUndefined();
});
