import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { GitHost } from "./testing/git-host.js";
import { type Instance, snapshot, startInstance } from "./testing/instance.js";
import { sampleFiles } from "./testing/samples.js";

const host = new GitHost();
let url: string;
let reef: Instance;

beforeAll(async () => {
  url = host.serveSmart();
  reef = await startInstance({
    env: { REEF_INIT_TIMEOUT: "2500", BUN_CONFIG_REGISTRY: "http://127.0.0.1:9" },
  });
});
afterAll(async () => {
  await reef.close();
  await host.close();
});

const good = (version: string) => sampleFiles("greeter", version);

/** Versions that fail, by the stage at which they do. */
const broken: Array<
  [stage: string, step: string, status: number, files: Record<string, string | null>, message: RegExp]
> = [
  ["nothing to load", "check", 400, { "index.ts": null }, /no index.ts and no package.json/],
  ["a manifest that is not JSON", "check", 400, { "package.json": "{" }, /not valid JSON/],
  [
    "a dependency from a folder",
    "check",
    400,
    { "package.json": '{"dependencies":{"x":"file:../../etc"}}' },
    /version ranges/,
  ],
  [
    "a dependency from a URL",
    "check",
    400,
    { "package.json": '{"dependencies":{"x":"http://127.0.0.1/x.tgz"}}' },
    /version ranges/,
  ],
  [
    "a dependency from git",
    "check",
    400,
    { "package.json": '{"dependencies":{"x":"ada/x"}}' },
    /version ranges/,
  ],
  [
    "a dependency with an odd name",
    "check",
    400,
    { "package.json": '{"dependencies":{"../x":"1"}}' },
    /is not a valid package name/,
  ],
  [
    "a registry that cannot be reached",
    "dependencies",
    502,
    { "package.json": '{"dependencies":{"left-out":"1"}}' },
    /its dependencies/,
  ],
  ["a syntax error", "validate", 400, { "index.ts": "export default {" }, /importing index.ts failed/],
  [
    "a throw while it is imported",
    "validate",
    400,
    { "index.ts": 'throw new Error("not today")' },
    /not today/,
  ],
  ["a missing file", "validate", 400, { "lib/greeting.ts": null }, /greeting/],
  [
    "a missing package",
    "validate",
    400,
    { "index.ts": 'import "no-such-package-anywhere"' },
    /no-such-package-anywhere/,
  ],
  ["no service", "validate", 400, { "index.ts": "export default 7" }, /ServiceModule/],
  ["a reserved name", "validate", 400, sampleFiles("health", "9"), /reserved/],
  ["a name that is taken", "validate", 409, sampleFiles("services", "9"), /is already used by/],
  [
    "a dependency that is not loaded",
    "validate",
    400,
    sampleFiles("greeter", "9", 'dependencies: ["nobody"],'),
    /"nobody"/,
  ],
  ["an endless import", "validate", 400, { "index.ts": "for (;;);" }, /did not finish/],
  [
    "an exit while it is imported",
    "validate",
    400,
    { "index.ts": "process.kill(process.pid, 9)" },
    /ended the process/,
  ],
  [
    "a throwing init",
    "validate",
    400,
    sampleFiles("greeter", "9", 'init() { throw new Error("no init") },'),
    /no init/,
  ],
  [
    "an endless init",
    "validate",
    400,
    sampleFiles("greeter", "9", "init() { for (;;); },"),
    /did not finish/,
  ],
  [
    "a failing test",
    "test",
    400,
    { "greeter.test.ts": 'import { test } from "bun:test"; test("adds", () => { throw new Error("no") });' },
    /adds/,
  ],
  [
    "a test that changes the code that it is for",
    "test",
    409,
    {
      "greeter.test.ts": `import { test } from "bun:test";
        import { appendFileSync } from "node:fs";
        test("edits", () => appendFileSync(import.meta.dir + "/index.ts", "// more"));`,
    },
    /changed during the check/,
  ],
  [
    "a test that ends its process",
    "test",
    400,
    { "greeter.test.ts": "process.exit(0)" },
    /exited before its tests finished/,
  ],
  [
    "an init that fails only in the server",
    "load",
    400,
    sampleFiles(
      "greeter",
      "9",
      'init() { if (!process.env.REEF_CHECKING && !process.env.REEF_TEST_RUN) throw new Error("only here") },',
    ),
    /only here/,
  ],
];

describe("an installation that fails leaves everything byte for byte as it was:", () => {
  test.each(broken)("%s", async (stage, step, status, files, message) => {
    const path = `ada/${stage.replaceAll(/\W/g, "-")}`;
    host.create(path, good("1"));
    host.commit(path, files);
    const before = snapshot(reef.servicesDir);
    const { data: health } = await reef.request("GET", "/health");
    const failed = await reef.install({ source: `${url}/${path}.git`, dirName: "greeter", test: true });
    expect(failed).toMatchObject({ status, data: { step, error: expect.stringMatching(message) } });
    expect(snapshot(reef.servicesDir)).toEqual(before);
    expect((await reef.request("GET", "/installer/installed")).data).toEqual({ installed: [], count: 0 });
    const { data: after } = await reef.request("GET", "/health");
    expect({ ...after, uptime: 0 }).toEqual({ ...health, uptime: 0 });
    expect(snapshot(join(reef.dataDir, ".reef/installer/staging"))).toEqual([]);
  });
});

describe("an update that fails keeps the version that serves, its folder and its entry:", () => {
  const path = "ada/kept";
  let before: string[];
  let installed: unknown;

  beforeAll(async () => {
    host.create(path, good("1"));
    expect((await reef.install({ source: `${url}/${path}.git`, dirName: "greeter" })).status).toBe(201);
    host.commit(path, good("2"));
    expect((await reef.post("/installer/update", { name: "greeter" })).status).toBe(200);
    before = snapshot(reef.servicesDir);
    installed = (await reef.request("GET", "/installer/installed")).data;
  });

  test.each(broken)("%s", async (_stage, step, status, files, message) => {
    host.replace(path, { ...good("3"), ...files });
    const failed = await reef.post("/installer/update", { name: "greeter", test: true });
    expect(failed).toMatchObject({ status, data: { step, error: expect.stringMatching(message) } });
    expect(snapshot(reef.servicesDir)).toEqual(before);
    expect((await reef.request("GET", "/installer/installed")).data).toEqual(installed);
    expect((await reef.request("GET", "/greeter")).data.version).toBe("2");
    expect(
      (await reef.request("GET", "/services")).data.modules.find(
        ({ name }: { name: string }) => name === "greeter",
      ).failure,
    ).toBeUndefined();
  });

  test("and can still be rolled back", async () => {
    expect((await reef.post("/installer/rollback", { name: "greeter" })).status).toBe(200);
    expect((await reef.request("GET", "/greeter")).data.version).toBe("1");
    expect((await reef.post("/installer/rollback", { name: "greeter" })).status).toBe(200);
    expect(snapshot(reef.servicesDir)).toEqual(before);
  });

  test("also when the source is gone", async () => {
    rmSync(host.bare(path), { recursive: true });
    expect(await reef.post("/installer/update", { name: "greeter" })).toMatchObject({
      status: 502,
      data: { step: "fetch" },
    });
    expect(snapshot(reef.servicesDir)).toEqual(before);
  });
});

describe("when the lock file cannot be written", () => {
  const path = "ada/unwritten";
  // A folder stands where the file is written first.
  const block = (instance: Instance) =>
    mkdirSync(join(instance.dataDir, "installer.json.tmp"), { recursive: true });
  const unblock = (instance: Instance) =>
    rmSync(join(instance.dataDir, "installer.json.tmp"), { recursive: true });

  test("nothing is installed, updated or removed", async () => {
    host.create(path, good("1"));
    const own = await startInstance();
    const empty = snapshot(own.servicesDir);
    block(own);
    expect((await own.install({ source: `${url}/${path}.git` })).status).toBe(500);
    expect(snapshot(own.servicesDir)).toEqual(empty);
    unblock(own);
    expect((await own.install({ source: `${url}/${path}.git` })).status).toBe(201);
    const full = snapshot(own.servicesDir);
    block(own);
    host.commit(path, good("2"));
    expect((await own.post("/installer/update", { name: "unwritten" })).status).toBe(500);
    expect((await own.post("/installer/remove", { name: "unwritten" })).status).toBe(500);
    expect(snapshot(own.servicesDir)).toEqual(full);
    expect((await own.request("GET", "/greeter")).data.version).toBe("1");
    unblock(own);
    await own.close();
  });
});
