import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import bootstrap from "./bootstrap.js";

/** Says to the agent which version it is. */
const extension = (version: number) => `export default (pi) => pi.say("version ${version}");\n`;
const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");

let code: string;
/** What stands before the server's ETag. */
let mark: string;
let statuses: number[];
let server: Bun.Server<undefined>;
let cache: string;
let said: string[];
let saved: NodeJS.ProcessEnv;
let warn: ReturnType<typeof spyOn<Console, "warn">>;

beforeEach(() => {
  code = extension(1);
  mark = "";
  statuses = [];
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const etag = `"${sha256(code)}"`;
      const status = request.headers.get("if-none-match") === etag ? 304 : 200;
      statuses.push(status);
      return new Response(status === 304 ? null : code, { status, headers: { etag: mark + etag } });
    },
  });
  cache = mkdtempSync(join(tmpdir(), "reef-bootstrap-"));
  saved = { ...process.env };
  Object.assign(process.env, { REEF_CACHE_DIR: cache, VERS_INFRA_URL: server.url.origin });
  warn = spyOn(console, "warn").mockImplementation((line: string) => void said.push(line));
});
afterEach(async () => {
  for (const name of ["REEF_CACHE_DIR", "VERS_INFRA_URL", "VERS_AUTH_TOKEN"]) {
    if (saved[name] === undefined) delete process.env[name];
    else process.env[name] = saved[name];
  }
  warn.mockRestore();
  await server.stop(true);
  rmSync(cache, { recursive: true, force: true });
});

/** What a session hears from the bootstrap and from the extension that it loads. */
async function session(): Promise<string[]> {
  said = [];
  const pi = { on: () => undefined, say: (text: string) => void said.push(text) };
  await bootstrap(pi);
  return said;
}

/** The file of the only copy that is kept. */
function copy(): string {
  const names = readdirSync(cache, { recursive: true }).map(String);
  return join(cache, names.find((name) => name.endsWith(".mjs")) ?? "none");
}

test("a copy that is there and whole is not sent again", async () => {
  expect([await session(), await session()]).toEqual([["version 1"], ["version 1"]]);
  expect(statuses).toEqual([200, 304]);
});

test.each([
  ["missing", (file: string) => rmSync(file)],
  ["empty", (file: string) => writeFileSync(file, "")],
  ["damaged", (file: string) => writeFileSync(file, "throw new Error('run')")],
])("a copy that is %s is fetched anew", async (_what, harm) => {
  await session();
  const file = copy();
  harm(file);
  expect(await session()).toEqual(["version 1"]);
  expect(await session()).toEqual(["version 1"]);
  expect(statuses).toEqual([200, 200, 304]);
  expect(sha256(await Bun.file(file).text())).toBe(sha256(code));
});

test("a note of the latest copy that nobody could have written is replaced", async () => {
  await session();
  writeFileSync(join(copy(), "..", "latest.json"), JSON.stringify({ hash: "\n\u{1f41a}" }));
  expect(await session()).toEqual(["version 1"]);
});

test("without the server a damaged copy is named and not run", async () => {
  await session();
  writeFileSync(copy(), "throw new Error('run')");
  await server.stop(true);
  const lines = (await session()).join("\n");
  expect(lines).toContain("damaged");
  expect(lines).not.toContain("is used");
  expect(lines).not.toContain(": run");
  expect(existsSync(copy())).toBe(true);
});

test("what a proxy on the way has marked as the same in substance is taken", async () => {
  mark = "W/";
  expect(await session()).toEqual(["version 1"]);
  code = extension(2);
  expect(await session()).toEqual(["version 2"]);
});

test.each([
  ["another Reef's", "wrong", "returned 401: VERS_AUTH_TOKEN is not its token"],
  ["missing", "", "returned 401: VERS_AUTH_TOKEN is not set"],
  ["two lines", "a\nsecret", "VERS_AUTH_TOKEN contains an invalid character"],
])("a token that is %s is named, and not shown", async (_what, token, expected) => {
  process.env.VERS_AUTH_TOKEN = token;
  server.reload({ fetch: () => Response.json({ error: "unauthorized" }, { status: 401 }) });
  const [line] = await session();
  expect(line).toContain(expected);
  expect(line).not.toContain("secret");
});

describe("a session that begins without a copy", () => {
  /** As much of a session as goes on after its start. */
  async function begun() {
    said = [];
    const handlers = new Map<string, Array<(event: object, ctx: unknown) => unknown>>();
    const pi = {
      on: (event: string, handler: (event: object, ctx: unknown) => unknown) =>
        void handlers.set(event, [...(handlers.get(event) ?? []), handler]),
      say: (text: string) => void said.push(text),
    };
    await bootstrap(pi);
    const fire = async (event: string, ctx: unknown = {}) => {
      for (const handler of handlers.get(event) ?? []) await handler({ type: event }, ctx);
    };
    return { prompt: (ctx?: unknown) => fire("before_agent_start", ctx), fire };
  }
  const away = () => new Response("not yet", { status: 503 });
  const back = () =>
    server.reload({ fetch: () => new Response(code, { headers: { etag: `"${sha256(code)}"` } }) });

  test("has the extension from the prompt on at which the control plane is back, once", async () => {
    server.reload({ fetch: away });
    const { prompt } = await begun();
    expect(said).toEqual([expect.stringContaining("there is no cached copy to use instead")]);
    await prompt();
    expect(said).toHaveLength(1);
    back();
    await prompt();
    await prompt();
    expect(said.slice(1)).toEqual(["version 1"]);
  });

  test("begins then for what hears of the start of a session", async () => {
    code = `export default (pi) => pi.on("session_start", ({ type }, ctx) => pi.say(type + " " + ctx.name));\n`;
    server.reload({ fetch: away });
    const { prompt, fire } = await begun();
    back();
    await prompt({ name: "ada" });
    expect(said.slice(1)).toEqual(["session_start ada"]);
    await fire("session_start", { name: "bob" });
    expect(said.slice(2)).toEqual(["session_start bob"]);
  });

  test("waits for no control plane that never answers", async () => {
    server.reload({ fetch: () => new Promise<Response>(() => undefined) });
    const { prompt, fire } = await begun();
    await prompt();
    await prompt();
    await fire("session_shutdown");
    expect(said).toEqual([expect.stringContaining("is not responding")]);
  });

  test("tries what cannot be used once more, not at each prompt, and has the next version that the server has", async () => {
    code = `export default () => { throw new Error("broken"); };\n`;
    const { prompt } = await begun();
    for (let i = 0; i < 3; i++) await prompt();
    expect(said).toEqual(Array(2).fill(expect.stringContaining("cannot be used: broken")));
    code = extension(2);
    for (let i = 0; i < 3; i++) await prompt();
    expect(said.slice(2)).toEqual(["version 2"]);
  });
});
