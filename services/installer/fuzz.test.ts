import { afterAll, afterEach, expect, mock, spyOn, test } from "bun:test";
import dns from "node:dns/promises";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/core/config.js";
import { createServer } from "../../src/core/server.js";
import { createInstallerService } from "./module.js";
import { snapshot } from "./testing/instance.js";

const SOURCES = 10_000;
const SEED = 20_261_121;
const TOKEN = "fuzz-token-of-this-server";

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const PIECES = [
  ..."abcXYZ019-_./:@#?&=%+~ \\'\"`$;|<>(){}[]!^*,\t\n\r\0",
  "\u202e",
  "\u00e9",
  "\ud800",
  "/../",
  "//",
  "../",
  "./",
  "::",
  "://",
  ".git",
  "@HEAD",
  "@v1",
  "@-x",
  "@main",
  "https://",
  "http://",
  "ssh://",
  "file://",
  "git://",
  "ext::",
  "fd::",
  "ftp://",
  "HTTPS://",
  "git+ssh://",
  "git@",
  "user:pass@",
  "localhost",
  "127.0.0.1",
  "[::1]",
  "0x7f.1",
  "169.254.169.254",
  "10.0.0.1",
  "example.org",
  ":22",
  ":0",
  ":99999",
  "ada/greeter",
  "ada",
  "/greeter.git",
  "//sub/dir",
  "-u",
  "--upload-pack=",
  "-oProxyCommand=",
  "--config=core.sshCommand=",
  "$(touch /tmp/x)",
  "`id`",
  "; rm -rf /",
  "| sh",
  "&&",
  "%2e%2e",
  "%00",
  "C:\\",
  "/etc",
  "/dev/null",
  "/proc/self",
  "~root",
  "refs/heads/*",
  "+a:b",
  "HEAD^{tree}",
  "@{-1}",
  "x".repeat(300),
];
const SHAPES = [
  "ada/greeter",
  "ada/greeter@v1",
  "ada/greeter//sub@v1",
  "https://example.org/a/b.git@v1",
  "git@example.org:a/b@v1",
  "ssh://git@example.org:2222/a/b//sub",
  "http://127.0.0.1:3000/a.git",
  "file:///srv/git/a.git",
  "/srv/services/a",
  "./a",
];

/** Half of them put together from pieces, half of them decent ones with a blow here and there. */
function makeSource(next: () => number): string {
  const pick = <T>(from: readonly T[]) => from[Math.floor(next() * from.length)] as T;
  if (next() < 0.5) return Array.from({ length: 1 + Math.floor(next() * 8) }, () => pick(PIECES)).join("");
  let text = pick(SHAPES);
  for (let blows = Math.floor(next() * 3); blows > 0; blows--) {
    const at = Math.floor(next() * (text.length + 1));
    text = text.slice(0, at) + pick(PIECES) + text.slice(at + (next() < 0.3 ? 1 : 0));
  }
  return text;
}

const ground = mkdtempSync(join(tmpdir(), "reef-fuzz-"));
afterAll(() => rmSync(ground, { recursive: true, force: true }));
afterEach(() => mock.restore());

/** What git is given may name nothing but one of our folders, a URL, or what follows `--`. */
function assertDecent(argv: string[], env: Record<string, string>): void {
  expect(argv[0]).toBe("git");
  for (const arg of argv)
    expect(arg).not.toMatch(/[\0\n\r]|ext::|^-[uc]|upload-pack|receive-pack|sshCommand/);
  expect(env.GIT_ALLOW_PROTOCOL).toMatch(/^(https|http|ssh)$/);
  expect(env.GIT_TERMINAL_PROMPT).toBe("0");
  expect(JSON.stringify(env)).not.toContain(TOKEN);
  const end = argv.indexOf("--");
  if (argv.includes("fetch")) {
    expect(end).toBeGreaterThan(0);
    const [url = "", ...refspecs] = argv.slice(end + 1);
    expect(url).toMatch(/^(https?:\/\/[^@\s]+|ssh:\/\/[\w.@:[\]-]+\/\S+|\w[\w.-]*@[\w.:-]+:\S+)$/);
    for (const refspec of refspecs) expect(refspec).toMatch(/^\+[\w./+*-]+:refs\/reef\/[\w/*]+$/);
  }
}

test(
  "ten thousand random sources start nothing but git, write nothing outside staging, and end",
  async () => {
    const servicesDir = join(ground, "services");
    const dataDir = join(ground, "data");
    mkdirSync(servicesDir);
    const config = readConfig({ REEF_SERVICES_DIR: servicesDir, REEF_DATA_DIR: dataDir });
    const modules = [createInstallerService()];
    const reef = await createServer({ modules, servicesDir, dataDir, authToken: TOKEN, config });
    const spawn = Bun.spawn;
    const calls: Array<{ argv: string[]; env: Record<string, string> }> = [];
    // A stand-in that makes a repository and then fails, so that every source is soon done with.
    spyOn(Bun, "spawn").mockImplementation(((argv: string[], options: { env: Record<string, string> }) => {
      calls.push({ argv, env: options.env });
      return spawn([argv[1] === "init" ? "true" : "false"], options);
    }) as never);
    // Every name is this machine: what is asked of the network is not the question here.
    spyOn(dns, "lookup").mockImplementation((async () => [{ address: "127.0.0.1", family: 4 }]) as never);
    const next = random(SEED);
    const before = snapshot(servicesDir);
    const statuses = new Map<number, number>();
    const one = async () => {
      const body = JSON.stringify({ source: makeSource(next) });
      const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
      const reply = await reef.app.request("/installer/install", { method: "POST", headers, body });
      const { error } = (await reply.json()) as { error: string };
      expect(error).toBeString();
      statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
    };
    const worker = async (share: number) => {
      for (let n = 0; n < share; n++) await one();
    };
    await Promise.all([1, 2, 3].map(() => worker(Math.ceil(SOURCES / 3))));
    await reef.close(0);

    const total = [...statuses.values()].reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThanOrEqual(SOURCES);
    expect([...statuses.keys()].sort()).toEqual([400, 403, 404, 409, 502]);
    expect(calls.length).toBeGreaterThan(500);
    for (const { argv, env } of calls) assertDecent(argv, env);
    expect(snapshot(servicesDir)).toEqual(before);
    expect(readdirSync(ground).sort()).toEqual(["data", "services"]);
    expect(readdirSync(join(dataDir, ".reef", "installer", "staging"))).toEqual([]);
  },
  { timeout: 120_000 },
);
