import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFiles } from "../services/installer/testing/git-host.js";
import { type Instance, startInstance } from "../services/installer/testing/instance.js";
import { sampleFiles } from "../services/installer/testing/samples.js";

const SCRIPT = join(import.meta.dir, "reef.ts");
const ground = mkdtempSync(join(tmpdir(), "reef-cli-"));
let reef: Instance;
let other: Instance;

beforeAll(async () => {
  reef = await startInstance();
  other = await startInstance({ token: "token-of-the-other-one" });
  writeFiles(join(ground, "greeter"), sampleFiles("greeter", "1"));
  writeFileSync(join(reef.dataDir, "auth-token"), `${reef.token}\n`);
});
afterAll(async () => {
  await reef.close();
  await other.close();
  rmSync(ground, { recursive: true, force: true });
});

/** Runs the program in `ground`, as somebody who has only the data folder's token. */
async function cli(args: string[], env: Record<string, string> = {}, cwd = ground) {
  const child = Bun.spawn([process.execPath, SCRIPT, ...args], {
    cwd,
    env: {
      PATH: process.env.PATH,
      NO_COLOR: "1",
      REEF_DATA_DIR: reef.dataDir,
      PORT: new URL(reef.url).port,
      ...env,
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, stdout, stderr };
}

describe("the command line", () => {
  test.each(["localhost", "127.0.0.1"])("sends the kept token to this machine as %s", async (host) => {
    const tokens: (string | null)[] = [];
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => {
        tokens.push(request.headers.get("authorization"));
        return Response.json({ installed: [], count: 0 });
      },
    });
    const { code } = await cli(["list"], { VERS_INFRA_URL: `http://${host}:${server.port}` });
    expect([code, new Set(tokens)]).toEqual([0, new Set([`Bearer ${reef.token}`])]);
  });

  test.each([
    "reef.example",
    "localhost.reef.example",
    "192.0.2.1",
    "127.0.0.1@reef.example",
    "[2001:db8::1]",
  ])("keeps the kept token from %s, and says so", async (host) => {
    const asked: string[] = [];
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => {
        asked.push(request.url);
        return Response.json({ installed: [], count: 0 });
      },
    });
    const there = { VERS_INFRA_URL: `http://${host}:3000`, http_proxy: server.url.origin };
    const { code, stderr } = await cli(["list"], there);
    expect([code, asked]).toEqual([1, []]);
    expect(stderr).toMatch(/^reef: no token: .*VERS_AUTH_TOKEN/);
    expect(stderr).not.toContain(reef.token);
    expect((await cli(["list"], { ...there, VERS_AUTH_TOKEN: other.token })).code).toBe(0);
    expect(asked).toHaveLength(1);
  });

  test("installs, lists, updates, rolls back and removes with the token in the data folder", async () => {
    const installed = await cli(["install", "./greeter", "--copy", "--test"]);
    expect(installed.code).toBe(0);
    expect(JSON.parse(installed.stdout)).toMatchObject({
      name: "greeter",
      action: "installed",
      type: "local",
    });
    expect(installed.stderr).toContain("✓ test: 1 test passed");
    expect(JSON.parse((await cli(["list"])).stdout)).toMatchObject({
      count: 1,
      installed: [{ dirName: "greeter" }],
    });
    writeFiles(join(ground, "greeter"), sampleFiles("greeter", "2"));
    expect(JSON.parse((await cli(["update", "greeter"])).stdout)).toMatchObject({
      action: "updated",
      changed: true,
    });
    expect(JSON.parse((await cli(["rollback", "greeter"])).stdout)).toMatchObject({ action: "rolled-back" });
    expect((await reef.request("GET", "/greeter")).data.version).toBe("1");
    expect(JSON.parse((await cli(["remove", "greeter"])).stdout)).toMatchObject({ action: "removed" });
    expect((await cli(["list"])).stdout).toContain('"count": 0');
  });

  test("takes relative paths from where npm was called, which itself works in the folder of the package", async () => {
    const installed = await cli(
      ["install", "./greeter"],
      { INIT_CWD: ground, npm_lifecycle_event: "reef" },
      tmpdir(),
    );
    expect([installed.code, installed.stderr]).toEqual([0, expect.stringContaining("validate: greeter")]);
    await cli(["update", "greeter", "--accept-permissions", "--no-test"]);
    expect((await cli(["remove", "greeter", "--force"])).code).toBe(0);
  });

  test("installs from another instance with a token from the environment", async () => {
    await cli(["install", "./greeter"]);
    const env = { VERS_INFRA_URL: other.url, VERS_AUTH_TOKEN: other.token, REEF_SOURCE_TOKEN: reef.token };
    const installed = await cli(["install", "greeter", "--from", reef.url], env);
    expect(JSON.parse(installed.stdout)).toMatchObject({ type: "fleet", from: reef.url });
    await cli(["remove", "greeter"]);
  });

  test.each([
    [["install", "-u/x"], {}, /option|Unknown|begins with|required/i],
    [["install", "./missing"], {}, /no folder/],
    [
      ["install", "./greeter", "--form", "http://x"],
      {},
      /^reef: unknown option --form; known options: --from, --as, /,
    ],
    [["install", "./greeter", "-u"], {}, /^reef: unknown option -u; known options: /],
    [["install", "./greeter", "./missing"], {}, /^reef: unexpected argument: \.\/missing/],
    [["remove", "nothing", "--dry-run"], {}, /^reef: unknown option --dry-run; known options: --force/],
    [["list", "--all"], {}, /^reef: unknown option --all; there are no options/],
    [["update", "nothing"], {}, /was not installed/],
    [["list"], { VERS_AUTH_TOKEN: "wrong-token-0123456789" }, /401/],
    [["list"], { REEF_DATA_DIR: ground }, /no token/],
    [["list"], { PORT: "1" }, /no response/],
  ])("%j with %j ends with a line that says why, and code 1", async (args, env, why) => {
    const { code, stdout, stderr } = await cli(args, env);
    expect(code).toBe(1);
    expect(stderr).toMatch(why);
    expect(`${stdout}${stderr}`).not.toMatch(/\n\s+at /);
  });
});
