import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fs, {
  chmodSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { makePipe } from "../../tests/support/pipe.js";
import { Sandbox } from "../../tests/support/sandbox.js";
import { bearerAuthenticator, storedToken, unauthorized } from "./auth.js";

const TOKEN = "s3cret-Token_of.32+characters/ok=";
const asking = (authorization?: string) =>
  new Request("http://localhost/", { headers: authorization === undefined ? {} : { authorization } });

describe("bearerAuthenticator", () => {
  const accepts = bearerAuthenticator(TOKEN);

  test.each([
    ["the token", `Bearer ${TOKEN}`, true],
    ["a lower-case scheme", `bearer ${TOKEN}`, true],
    ["an upper-case scheme", `BEARER ${TOKEN}`, true],
    ["no header", undefined, false],
    ["an empty header", "", false],
    ["the scheme alone", "Bearer", false],
    ["an empty token", "Bearer ", false],
    ["the token without a scheme", TOKEN, false],
    ["another scheme", `Basic  ${TOKEN}`, false],
    ["a scheme of the same length", `Baerer ${TOKEN}`, false],
    ["two spaces", `Bearer  ${TOKEN}`, false],
    ["a tab for the space", `Bearer\t${TOKEN}`, false],
    ["a prefix of the token", `Bearer ${TOKEN.slice(0, -1)}`, false],
    ["the token and more", `Bearer ${TOKEN}x`, false],
    ["the token in other case", `Bearer ${TOKEN.toUpperCase()}`, false],
    ["another token of that length", `Bearer ${"x".repeat(TOKEN.length)}`, false],
    ["the token twice", `Bearer ${TOKEN}, Bearer ${TOKEN}`, false],
    ["characters that take two bytes", `Bearer ${TOKEN.slice(0, -1)}é`, false],
  ])("%s: %p → %p", (_what, header, expected) => {
    expect(accepts(asking(header))).toBe(expected);
  });

  test("remembers nothing of the previous request", () => {
    expect(accepts(asking(`Bearer ${TOKEN}`))).toBe(true);
    expect(accepts(asking(`Bearer ${"é".repeat(TOKEN.length)}`))).toBe(false);
    expect(accepts(asking(`Bearer ${TOKEN.slice(0, -1)}é`))).toBe(false);
    expect(accepts(asking(`Bearer ${TOKEN}`))).toBe(true);
  });

  test("refuses to work without a token", () => {
    expect(() => bearerAuthenticator("")).toThrow("empty");
  });
});

test("unauthorized() is a JSON 401 that names the scheme", async () => {
  const reply = unauthorized();
  expect(reply.status).toBe(401);
  expect(reply.headers.get("www-authenticate")).toBe('Bearer realm="reef"');
  expect(await reply.json()).toEqual({ error: "unauthorized" });
});

describe("storedToken", () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
  });
  afterEach(() => sandbox.remove());

  test("makes a token that only the owner can read, and finds it again", () => {
    const dataDir = join(sandbox.root, "not", "there", "yet");
    const first = storedToken(dataDir);
    expect(first.created).toBe(true);
    expect(first.token).toMatch(/^[\w-]{43}$/);
    expect(statSync(first.path).mode & 0o777).toBe(0o600);
    expect(storedToken(dataDir)).toEqual({ ...first, created: false });
  });

  test("is whole and safe from a power cut before it has its name, and never readable by others", () => {
    const path = join(sandbox.dataDir, "auth-token");
    const seen: string[] = [];
    const note = (call: string, file: string) => {
      const { mode, size } = statSync(file);
      seen.push(`${call} ${(mode & 0o777).toString(8)} ${size}`);
    };
    const calls = {
      write: spyOn(fs, "writeSync").mockImplementationOnce((fd, bytes) => {
        note("before writing", `${path}.tmp`);
        calls.write.mockRestore();
        return fs.writeSync(fd, bytes as Uint8Array);
      }),
      sync: spyOn(fs, "fsyncSync").mockImplementationOnce(() => note("synced", `${path}.tmp`)),
      rename: spyOn(fs, "renameSync").mockImplementationOnce((from) => {
        note("named", String(from));
        throw new Error("the power is cut");
      }),
    };
    try {
      expect(() => storedToken(sandbox.dataDir)).toThrow("the power is cut");
    } finally {
      for (const call of Object.values(calls)) call.mockRestore();
    }
    expect(seen).toEqual(["before writing 600 0", "synced 600 44", "named 600 44"]);
    expect(existsSync(path)).toBe(false);
    expect(storedToken(sandbox.dataDir).created).toBe(true);
  });

  test("makes another one for each data folder", () => {
    expect(storedToken(sandbox.dataDir).token).not.toBe(storedToken(sandbox.root).token);
  });

  test("takes the group's and the world's permissions away", () => {
    const path = join(sandbox.dataDir, "auth-token");
    writeFileSync(path, `${TOKEN}\n`);
    chmodSync(path, 0o644);
    expect(storedToken(sandbox.dataDir).token).toBe(TOKEN);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test.each([
    ["empty", ""],
    ["too short", "abc\n"],
    ["two words", `${TOKEN} ${TOKEN}`],
    ["binary", "\0".repeat(32)],
  ])("does not use or overwrite a file that is %s", (_what, content) => {
    const path = join(sandbox.dataDir, "auth-token");
    writeFileSync(path, content);
    expect(() => storedToken(sandbox.dataDir)).toThrow(path);
    expect(existsSync(path) && readFileSync(path, "utf8")).toBe(content);
  });

  test("waits for no pipe in its place, and reads nothing without end", () => {
    const path = join(sandbox.dataDir, "auth-token");
    makePipe(path);
    expect(() => storedToken(sandbox.dataDir)).toThrow(`${path} cannot be read (is not a regular file)`);
    rmSync(path);
    symlinkSync("/dev/zero", path);
    expect(() => storedToken(sandbox.dataDir)).toThrow(`${path} cannot be read (is not a regular file)`);
  });
});
