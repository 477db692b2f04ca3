import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holdDataDir } from "./data-lock.js";

const root = mkdtempSync(join(tmpdir(), "reef-lock-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("a data folder has one holder at a time, and another when that one lets go", () => {
  const release = holdDataDir(root);
  expect(() => holdDataDir(root)).toThrow(`another server uses the data folder ${root}`);
  release();
  holdDataDir(root)();
});

test("the lock ends with a process that is killed", async () => {
  const script = `const { holdDataDir } = await import(${JSON.stringify(join(import.meta.dir, "data-lock.ts"))});
    holdDataDir(${JSON.stringify(root)}); console.log("held"); setInterval(() => undefined, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toContain("held");
  expect(() => holdDataDir(root)).toThrow("another server");
  child.kill("SIGKILL");
  await child.exited;
  holdDataDir(root)();
});
