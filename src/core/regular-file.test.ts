import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { makePipe } from "../../tests/support/pipe.js";
import { Sandbox } from "../../tests/support/sandbox.js";
import { readRegularFile } from "./regular-file.js";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());
const at = (name: string) => join(sandbox.root, name);

describe("readRegularFile", () => {
  test("reads a file up to the size that is allowed, also behind a link", () => {
    const path = sandbox.write("file", "é".repeat(50_000));
    symlinkSync(path, at("link"));
    expect(readRegularFile(path, 100_000)).toBe("é".repeat(50_000));
    expect(readRegularFile(at("link"), 100_000)).toHaveLength(50_000);
    expect(() => readRegularFile(path, 99_999)).toThrow("is larger than 99999 bytes");
    expect(readRegularFile(sandbox.write("empty", ""), 10)).toBe("");
  });

  test("a file that is larger than it says is held to that size too", () => {
    expect(readRegularFile("/proc/self/status", 100_000)).toContain("Pid:");
    expect(() => readRegularFile("/proc/self/status", 10)).toThrow("larger");
  });

  test("waits for no pipe, reads no device and no folder", () => {
    makePipe(at("pipe"));
    symlinkSync("/dev/zero", at("zero"));
    mkdirSync(at("folder"));
    for (const name of ["pipe", "zero", "folder"]) {
      expect(() => readRegularFile(at(name), 100)).toThrow("is not a regular file");
    }
  });

  test("says what the system says of a file that is not there", () => {
    expect(() => readRegularFile(at("nowhere"), 100)).toThrow("ENOENT");
  });
});
