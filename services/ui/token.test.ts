import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ReefProcess } from "../../tests/support/process.js";
import { Sandbox } from "../../tests/support/sandbox.js";
import { cookieOf } from "../../tests/support/session.js";

type Environment = Record<string, string | undefined>;

const WRITING = `import { Hono } from "hono";
export default { name: "writing", routes: new Hono().post("/", (c) => c.json({}, 201)) };
`;

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox({ "writing/index.ts": WRITING });
  symlinkSync(import.meta.dir, join(sandbox.servicesDir, "ui"));
});
afterAll(() => sandbox.remove());

/** Starts the server, does something with it and ends it. */
async function during<T>(env: Environment, use: (server: ReefProcess) => Promise<T>): Promise<T> {
  const server = new ReefProcess(sandbox, { env });
  try {
    await server.serving("ui", "writing");
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** The cookie of a login with a link, and of one with the token. */
async function logIn(server: ReefProcess, token: string): Promise<string[]> {
  const authorization = `Bearer ${token}`;
  const made = await server.call("/auth/magic-link", { method: "POST", headers: { authorization } });
  const { url } = (await made.json()) as { url: string };
  const body = new URLSearchParams({ token });
  const replies = [
    await fetch(url),
    await fetch(`${server.url}/ui/login`, { method: "POST", body, redirect: "manual" }),
  ];
  return replies.map(cookieOf);
}

/** Status of reading and of changing something with each of the cookies. */
const uses = (cookies: string[]) => async (server: ReefProcess) => {
  const statuses: number[] = [];
  for (const cookie of cookies) {
    const headers = { cookie, "x-reef-ui": "1", origin: server.url };
    statuses.push((await fetch(`${server.url}/ui/panels`, { headers })).status);
    statuses.push((await fetch(`${server.url}/ui/api/writing`, { method: "POST", headers })).status);
  }
  return statuses;
};

describe("sessions of a server that starts with another token are over", () => {
  test("where the token is a setting", async () => {
    const env = { VERS_AUTH_TOKEN: "the-first-of-two-tokens" };
    const cookies = await during(env, (server) => logIn(server, env.VERS_AUTH_TOKEN));
    expect(await during(env, uses(cookies))).toEqual([200, 201, 200, 201]);
    const other = { VERS_AUTH_TOKEN: "the-second-of-two-tokens" };
    expect(await during(other, uses(cookies))).toEqual([401, 401, 401, 401]);
  });

  test("where the server has made the token", async () => {
    const env = { VERS_AUTH_TOKEN: undefined };
    const file = join(sandbox.dataDir, "auth-token");
    const cookies = await during(env, async (server) => logIn(server, (await Bun.file(file).text()).trim()));
    expect(await during(env, uses(cookies))).toEqual([200, 201, 200, 201]);
    rmSync(file);
    expect(await during(env, uses(cookies))).toEqual([401, 401, 401, 401]);
  });
});
