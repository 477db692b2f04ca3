import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { LIMITS } from "../limits.js";
import { writeFiles } from "../testing/git-host.js";
import { type Instance, snapshot, startInstance } from "../testing/instance.js";
import { sampleFiles } from "../testing/samples.js";
import { member, tarball } from "../testing/tarball.js";
import { installDependencies } from "./dependencies.js";

const ground = mkdtempSync(join(tmpdir(), "reef-packages-"));
const marker = join(ground, "scripts-ran");
let registry: Bun.Server<undefined>;
let reef: Instance;
let empty: string[];
const asked: string[] = [];

/** What the registry has: one decent package with scripts that would leave a mark, and one that asks for a URL. */
const PACKAGES: Record<string, { manifest: object; files: Record<string, string> }> = {
  doubler: {
    manifest: {
      name: "doubler",
      version: "1.2.0",
      main: "index.js",
      scripts: { preinstall: `touch ${marker}`, install: `touch ${marker}`, postinstall: `touch ${marker}` },
    },
    files: { "index.js": "module.exports = (n) => n * 2;" },
  },
};

function archiveOf(name: string): Uint8Array<ArrayBuffer> {
  const { manifest, files } = PACKAGES[name] as (typeof PACKAGES)[string];
  const all = { "package.json": JSON.stringify(manifest), ...files };
  const members = Object.entries(all).map(([path, content]) => member({ name: `package/${path}`, content }));
  return gzipSync(tarball(...members));
}

beforeAll(async () => {
  registry = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch({ url }) {
      const path = decodeURIComponent(new URL(url).pathname).slice(1);
      asked.push(path);
      const name = path.replace(/\.tgz$/, "");
      if (!Object.hasOwn(PACKAGES, name)) return new Response("not found", { status: 404 });
      if (path !== name) return new Response(archiveOf(name));
      const integrity = `sha512-${new Bun.CryptoHasher("sha512").update(archiveOf(name)).digest("base64")}`;
      const dist = { tarball: `${registry.url.href}${name}.tgz`, integrity };
      const versions = { "1.2.0": { ...PACKAGES[name]?.manifest, dist } };
      return Response.json({ name, "dist-tags": { latest: "1.2.0" }, versions });
    },
  });
  const env = {
    BUN_CONFIG_REGISTRY: registry.url.href,
    HOME: ground,
    REEF_SECRET_OF_THE_SERVER: "must-not-be-seen",
  };
  reef = await startInstance({ env });
  empty = snapshot(reef.servicesDir);
});
afterAll(async () => {
  await reef.close();
  await registry.stop(true);
  rmSync(ground, { recursive: true, force: true });
});

function needing(name: string, manifest: object, more: Record<string, string> = {}): string {
  const dir = join(ground, name);
  const files = sampleFiles(name, "1");
  const index = files["index.ts"]?.replace('{ version: "1"', '{ version: "1", doubled: double(21)') as string;
  writeFiles(dir, {
    ...files,
    "index.ts": `import double from "doubler";\n${index}`,
    "package.json": JSON.stringify({ name, ...manifest }),
    ...more,
  });
  return dir;
}

describe("what a package needs", () => {
  test("is installed into its own node_modules, and no script of anybody runs", async () => {
    const scripts = {
      preinstall: `touch ${marker}`,
      postinstall: `touch ${marker}`,
      prepare: `touch ${marker}`,
    };
    const source = needing("needing", {
      scripts,
      dependencies: { doubler: "^1.0.0", hono: "^4.0.0" },
      devDependencies: { "not-there": "1" },
      peerDependencies: { "not-there-either": "*" },
      trustedDependencies: ["doubler"],
    });
    const installed = await reef.install({ source, link: false, test: true });
    expect(installed).toMatchObject({ status: 201, data: { tests: { status: "passed" } } });
    expect((await reef.request("GET", "/needing")).data.doubled).toBe(42);
    const folder = join(reef.servicesDir, "needing");
    expect(existsSync(join(folder, "node_modules/doubler/index.js"))).toBe(true);
    expect(existsSync(join(folder, "node_modules/hono"))).toBe(false);
    expect(existsSync(marker)).toBe(false);
    expect(asked.filter((path) => !path.startsWith("doubler"))).toEqual([]);
    const lines = (await Bun.file(join(folder, "package.json")).text()).includes("trustedDependencies");
    expect(lines).toBe(true);
    expect((await reef.post("/installer/update", { name: "needing" })).data.changed).toBe(false);
    expect((await reef.post("/installer/remove", { name: "needing" })).status).toBe(200);
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });

  test("is not looked for where the package says, but where the operator says", async () => {
    const elsewhere: string[] = [];
    const trap = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch({ url }) {
        elsewhere.push(url);
        return new Response("", { status: 404 });
      },
    });
    const at = trap.url.href;
    const source = needing(
      "steering",
      { dependencies: { doubler: "1.2.0" }, workspaces: ["../*"] },
      {
        ".npmrc": `registry=${at}\n`,
        "bunfig.toml": `preload = ["./evil.ts"]\n[install]\nregistry = "${at}"\n[install.cache]\ndir = "${join(ground, "cache")}"\n`,
        "bun.lock": JSON.stringify({
          lockfileVersion: 1,
          packages: { doubler: ["doubler@1.2.0", `${at}x.tgz`, {}, "sha512-x"] },
        }),
        "package-lock.json": JSON.stringify({
          lockfileVersion: 3,
          packages: { "node_modules/doubler": { version: "1.2.0", resolved: `${at}x.tgz` } },
        }),
      },
    );
    const installed = await reef.install({ source, link: false });
    await trap.stop(true);
    expect(installed.status).toBe(201);
    expect(elsewhere).toEqual([]);
    expect(existsSync(join(ground, "cache"))).toBe(false);
    expect((await reef.request("GET", "/steering")).data.doubled).toBe(42);
    await reef.post("/installer/remove", { name: "steering" });
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });

  test("leaves the cache when it is too large, or was not fetched to its end, as soon as nobody uses that", async () => {
    process.env.BUN_CONFIG_REGISTRY = registry.url.href;
    const cacheDir = join(ground, "shared-cache");
    const facts = {
      kind: "service" as const,
      permissions: [],
      dependencies: { doubler: "1.2.0" },
      optionalDependencies: {},
    };
    let installations = 0;
    const install = (dependencyBytes: number, signal = new AbortController().signal) => {
      const dir = join(ground, `packed-${++installations}`);
      writeFiles(dir, { "work/.keep": "" });
      const limits = { ...LIMITS, dependencyBytes };
      return installDependencies(dir, join(dir, "work"), facts, { cacheDir, signal, limits });
    };
    expect(await install(10_000)).toBe(1);
    expect(existsSync(cacheDir)).toBe(true);
    const refused = install(10);
    await Promise.all([install(10_000), expect(refused).rejects.toThrow("too many or too large")]);
    expect(existsSync(cacheDir)).toBe(false);
    expect(await install(10_000)).toBe(1);
    const late = install(10_000, AbortSignal.timeout(1));
    await expect(late).rejects.toThrow();
    expect(existsSync(cacheDir)).toBe(false);
    expect(await install(10_000)).toBe(1);
    delete process.env.BUN_CONFIG_REGISTRY;
  });

  test("that does not exist fails the installation and leaves nothing", async () => {
    const source = needing("lacking", { dependencies: { doubler: "^1.0.0", "not-there": "1" } });
    const refused = await reef.install({ source, link: false });
    expect(refused).toMatchObject({
      status: 502,
      data: { step: "dependencies", error: expect.stringContaining("not-there") },
    });
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });
});
