import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Sandbox } from "../../../tests/support/sandbox.js";
import { writeFiles } from "../testing/git-host.js";
import { type Instance, startInstance } from "../testing/instance.js";
import { sampleFiles } from "../testing/samples.js";

const source = mkdtempSync(join(tmpdir(), "reef-leftovers-"));
let sandbox: Sandbox;
let reef: Instance;
let base: string;

afterAll(() => rmSync(source, { recursive: true, force: true }));
beforeEach(async () => {
  sandbox = new Sandbox();
  reef = await startInstance({}, sandbox);
  base = join(reef.dataDir, ".reef", "installer");
});
afterEach(async () => {
  await reef.close();
});

const here = (path: string) => join(reef.servicesDir, "greeter", path);
const release = (version: string, more = "") => writeFiles(source, sampleFiles("greeter", version, more));
const update = (force = false) => reef.post("/installer/update", { name: "greeter", force });
const remove = () => reef.post("/installer/remove", { name: "greeter" });
const installed = async () => (await reef.request("GET", "/installer/installed")).data.count;

async function install(more = ""): Promise<void> {
  release("1", more);
  expect((await reef.install({ source, link: false, dirName: "greeter" })).status).toBe(201);
}

async function restart(): Promise<void> {
  await reef.stop();
  reef = await startInstance({}, sandbox);
}

/** The contents of all files of this name below what is kept. */
function keptFiles(name: string): string[] {
  const paths = [...new Bun.Glob(`**/${name}`).scanSync({ cwd: join(base, "kept"), dot: true })];
  return paths.map((path) => readFileSync(join(base, "kept", path), "utf8"));
}

/** A file stands where the folder for what is kept would be made. */
const blockKept = () => writeFileSync(join(base, "kept"), "");
const unblockKept = () => rmSync(join(base, "kept"));

/** Puts a file so deep below a folder that it can be read there, but not under the longer path of what is kept. */
function writeDeep(top: string): void {
  const longest = join(base, "kept", `greeter-${Bun.randomUUIDv7()}`, top).length;
  const name = "d".repeat(200);
  // The system's limit for a path, with its end, is 4096 bytes.
  const depth = Math.floor((4080 - longest) / (name.length + 1));
  const deep = join(here(top), ...Array<string>(depth).fill(name));
  mkdirSync(deep, { recursive: true });
  const left = 4095 - longest - depth * (name.length + 1);
  writeFileSync(join(deep, "f".repeat(left)), "");
}

describe("what the installer did not put there is never deleted when it", () => {
  test("cannot be taken out of a removed folder: all of that is kept", async () => {
    await install();
    writeFiles(here(""), { "data/store.json": "[1]" });
    writeDeep("lib");
    const { status, data } = await remove();
    expect([status, data.warning]).toEqual([200, undefined]);
    for (const path of data.kept) expect(existsSync(path)).toBe(true);
    expect(keptFiles("store.json")).toEqual(["[1]"]);
    expect(readdirSync(join(base, "staging"))).toEqual([]);
  });

  test("cannot be kept after a removal: it stays, the reply and the log say where, and it is kept later", async () => {
    await install();
    writeFiles(here(""), { "data/store.json": "[1]" });
    blockKept();
    const { status, data } = await remove();
    expect(status).toBe(200);
    expect(readFileSync(join(data.kept[0], "data/store.json"), "utf8")).toBe("[1]");
    expect(data.warning).toContain(data.kept[0]);
    expect(reef.log.join()).toContain(JSON.stringify(data.warning).slice(1, -1));
    expect(await installed()).toBe(0);
    await restart();
    expect(readFileSync(join(data.kept[0], "data/store.json"), "utf8")).toBe("[1]");
    unblockKept();
    await restart();
    expect(keptFiles("store.json")).toEqual(["[1]"]);
    expect(readdirSync(join(base, "staging"))).toEqual([]);
  });

  test("cannot be kept after an update: the next change of the folder waits until it can", async () => {
    await install();
    writeFiles(here(""), { "lib/greeting.ts": 'export const greeting = "mine";' });
    release("2");
    expect((await update(true)).status).toBe(200);
    release("3");
    blockKept();
    const { status, data } = await update();
    expect([status, data.changed]).toEqual([200, true]);
    expect(readFileSync(join(data.kept[0], "lib/greeting.ts"), "utf8")).toContain("mine");
    expect(await update()).toMatchObject({
      status: 409,
      data: { error: expect.stringContaining(join(base, "kept")) },
    });
    unblockKept();
    expect((await update()).status).toBe(200);
    expect(keptFiles("greeting.ts")).toEqual(['export const greeting = "mine";']);
    expect(readdirSync(join(base, "staging"))).toEqual([]);
  });

  test("belonged to a folder whose removal can neither be recorded nor taken back: the next start mends that", async () => {
    const blocked = join(reef.dataDir, "installer.json.tmp");
    const path = JSON.stringify(blocked);
    await install(`
      async init() { if (await Bun.file(${path} + "/x").exists()) throw new Error("not now"); },
      async dispose() { if (!process.env.REEF_CHECKING) await Bun.write(${path} + "/x", ""); },`);
    writeFiles(here(""), { "data/store.json": "[1]" });
    expect((await remove()).status).toBe(500);
    expect(reef.log.join()).toContain("incomplete");
    rmSync(blocked, { recursive: true });
    expect(await remove()).toMatchObject({
      status: 409,
      data: { error: expect.stringContaining("incomplete") },
    });
    await restart();
    expect(await installed()).toBe(0);
    expect(keptFiles("store.json")).toEqual(["[1]"]);
    expect(readdirSync(join(base, "staging"))).toEqual([]);
  });
});
