import { afterAll, expect, spyOn, test } from "bun:test";
import fs, { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holdDataDir, prepareDataDir } from "./data-lock.js";

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

test("a data folder is created with its parents, and as it is when it is there", () => {
  const dataDir = join(root, "not", "there", "yet");
  prepareDataDir(dataDir);
  prepareDataDir(dataDir);
  expect(existsSync(join(dataDir, ".reef"))).toBe(true);
});

test.each(["EROFS", "EACCES"])(
  "a data folder that cannot be written to (%s) is refused before it is used",
  (code) => {
    const access = spyOn(fs, "accessSync").mockImplementation(() => {
      throw Object.assign(new Error(`${code}: so the system says`), { code });
    });
    try {
      expect(() => holdDataDir(root)).toThrow(
        `REEF_DATA_DIR is ${JSON.stringify(root)}, which cannot be used (${code}`,
      );
      expect(access).toHaveBeenCalled();
    } finally {
      access.mockRestore();
    }
    holdDataDir(root)();
  },
);
