import { afterAll, afterEach, describe, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, Sandbox } from "../../../tests/support/sandbox.js";
import { writeFiles } from "../testing/git-host.js";
import { type Instance, snapshot, startInstance } from "../testing/instance.js";
import { sampleFiles } from "../testing/samples.js";

const source = mkdtempSync(join(tmpdir(), "reef-recover-"));
const sandboxes: Sandbox[] = [];

afterAll(() => rmSync(source, { recursive: true, force: true }));
afterEach(() => {
  for (const sandbox of sandboxes.splice(0)) sandbox.remove();
});

interface Left {
  sandbox: Sandbox;
  services: string;
  base: string;
  workspace: string;
  lock: string;
}

/** An instance with version 1 installed, version 2 staged as a crash would leave it, and stopped. */
async function interrupted(
  prepare: (reef: Instance) => Promise<void>,
  action: "place" | "rollback" | "remove",
): Promise<Left> {
  const sandbox = new Sandbox();
  sandboxes.push(sandbox);
  const reef = await startInstance({}, sandbox);
  await prepare(reef);
  await reef.stop();
  const base = join(reef.dataDir, ".reef", "installer");
  const workspace = join(base, "staging", "greeter");
  mkdirSync(join(workspace, "services"), { recursive: true });
  // An owner of an earlier process.
  writeFiles(workspace, { owner: "1 1" });
  symlinkSync("/nowhere", join(workspace, "src"));
  const lock = join(reef.dataDir, "installer.json");
  const { items } = JSON.parse(readFileSync(lock, "utf8"));
  const version = items[0].previous ?? items[0].current;
  items[0].pending =
    action === "remove"
      ? { action }
      : { action: "place", version, ...(action === "rollback" && { isKept: true }) };
  writeFiles(reef.dataDir, { "installer.json": JSON.stringify({ items }) });
  return { sandbox, services: reef.servicesDir, base, workspace, lock };
}

/** The first so many moves of an exchange with the version that is kept. */
function swap({ services, base, workspace }: Left, moves: number): void {
  const [present, kept] = [join(services, "greeter"), join(base, "previous/greeter")];
  const older = join(workspace, "older");
  const steps = [
    () => renameSync(kept, older),
    () => renameSync(present, kept),
    () => renameSync(older, present),
  ];
  for (const step of steps.slice(0, moves)) step();
  if (moves > 1) begin(workspace);
}

/** As before a folder is moved into its place. */
const begin = (workspace: string) => writeFiles(workspace, { begun: "" });

const update = (reef: Instance) => reef.post("/installer/update", { name: "greeter" });

/** Installs version 1, updates to 2, and rolls back: 1 is current, 2 is the version before. */
async function oneWithTwoBehind(reef: Instance): Promise<void> {
  writeFiles(source, sampleFiles("greeter", "1"));
  expect((await reef.install({ source, link: false, dirName: "greeter" })).status).toBe(201);
  writeFiles(source, sampleFiles("greeter", "2"));
  expect((await update(reef)).status).toBe(200);
  expect((await reef.post("/installer/rollback", { name: "greeter" })).status).toBe(200);
}

/** Installs version 1, updates to 2, and rolls back; does something while 1 is under way. */
async function rollBackWhile(reef: Instance, during: () => Promise<unknown>): Promise<void> {
  const gate = join(source, "gate");
  const waiting = `async init() { ${waitFor(gate)} },`;
  writeFiles(source, sampleFiles("greeter", "1", waiting));
  expect((await reef.install({ source, link: false, dirName: "greeter" })).status).toBe(201);
  writeFiles(source, sampleFiles("greeter", "2"));
  expect((await update(reef)).status).toBe(200);
  writeFiles(source, { gate: "" });
  const rolledBack = reef.post("/installer/rollback", { name: "greeter" });
  await during();
  rmSync(gate);
  expect((await rolledBack).status).toBe(200);
}

/** A copy of everything as soon as a change of the folder has come so far, as a crash would leave it. */
async function imageOf(reef: Instance, path: string): Promise<Left> {
  await eventually(() => existsSync(join(reef.dataDir, ".reef/installer/staging/greeter", path)));
  const sandbox = new Sandbox();
  sandboxes.push(sandbox);
  for (const name of ["dataDir", "servicesDir"] as const) {
    cpSync(reef[name], sandbox[name], { recursive: true, verbatimSymlinks: true });
  }
  const base = join(sandbox.dataDir, ".reef/installer");
  const workspace = join(base, "staging/greeter");
  writeFiles(workspace, { owner: "1 1" });
  const lock = join(sandbox.dataDir, "installer.json");
  return { sandbox, services: sandbox.servicesDir, base, workspace, lock };
}

/** Code that waits while the file is there. */
const waitFor = (file: string) => `
  const { existsSync } = await import("node:fs");
  while (existsSync(${JSON.stringify(file)})) await Bun.sleep(5);`;

/** Starts it again; returns what it serves and has on record. What is put back is loaded after the start. */
async function after(left: Left, { putBack = false } = {}) {
  const reef = await startInstance({}, left.sandbox);
  if (putBack) await eventually(async () => (await reef.request("GET", "/greeter")).status === 200);
  const { status, data } = await reef.request("GET", "/greeter");
  const { data: list } = await reef.request("GET", "/installer/installed");
  const staging = readdirSync(join(left.base, "staging"));
  const pending = readFileSync(left.lock, "utf8").includes('"pending"');
  await reef.stop();
  return { version: status === 200 ? data.version : undefined, installed: list.installed, staging, pending };
}

/** Starts it again and rolls back, which brings this version. */
async function expectRollback({ sandbox }: Left, version: string): Promise<void> {
  const reef = await startInstance({}, sandbox);
  expect((await reef.post("/installer/rollback", { name: "greeter" })).status).toBe(200);
  expect((await reef.request("GET", "/greeter")).data.version).toBe(version);
  await reef.stop();
}

describe("a process that ended in the middle of", () => {
  test("an update, before anything was moved: the version that served serves", async () => {
    const left = await interrupted(oneWithTwoBehind, "place");
    const before = snapshot(left.services);
    const found = await after(left);
    expect(found).toMatchObject({ version: "1", staging: [], pending: false });
    expect(snapshot(left.services)).toEqual(before);
  });

  test("an update, with the old folder gone and the new one not there: the old one comes back", async () => {
    const left = await interrupted(oneWithTwoBehind, "place");
    const before = snapshot(left.services);
    swap(left, 2);
    const found = await after(left, { putBack: true });
    expect(found).toMatchObject({ version: "1", staging: [], pending: false });
    expect(snapshot(left.services)).toEqual(before);
    await expectRollback(left, "2");
  });

  test("an update, with the new folder in place: it is on record", async () => {
    const left = await interrupted(oneWithTwoBehind, "place");
    writeFiles(join(left.services, "greeter"), { "data/notes.json": "[1]" });
    swap(left, 3);
    const found = await after(left);
    expect(found).toMatchObject({ version: "2", staging: [], pending: false });
    expect(readFileSync(join(left.services, "greeter/data/notes.json"), "utf8")).toBe("[1]");
    expect(found.installed[0].previous).toBeDefined();
    await expectRollback(left, "1");
  });

  test("an update in place of a folder that somebody deleted: the version before stays it", async () => {
    for (const arrived of [false, true]) {
      const left = await interrupted(oneWithTwoBehind, "place");
      const { items } = JSON.parse(readFileSync(left.lock, "utf8"));
      items[0].pending = { action: "place", version: items[0].current, isGone: true };
      writeFiles(left.sandbox.dataDir, { "installer.json": JSON.stringify({ items }) });
      if (arrived) begin(left.workspace);
      else renameSync(join(left.services, "greeter"), join(left.workspace, "services/greeter"));
      const found = await after(left);
      expect(found).toMatchObject({ version: arrived ? "1" : undefined, staging: [], pending: false });
      await expectRollback(left, "2");
    }
  });

  test("a rollback, before anything was moved: the version before is still kept", async () => {
    let record = "";
    const left = await interrupted(async (reef) => {
      await rollBackWhile(reef, () =>
        eventually(() => {
          record = readFileSync(join(reef.dataDir, "installer.json"), "utf8");
          return record.includes('"pending"');
        }),
      );
      expect((await reef.post("/installer/rollback", { name: "greeter" })).status).toBe(200);
    }, "place");
    writeFiles(left.sandbox.dataDir, { "installer.json": record });
    expect(await after(left)).toMatchObject({ version: "2", staging: [], pending: false });
    await expectRollback(left, "1");
  });

  test("a rollback, while the version that was kept starts: it is on record", async () => {
    const reef = await startInstance();
    let left: Left | undefined;
    await rollBackWhile(reef, async () => {
      left = await imageOf(reef, "begun");
    });
    await reef.close();
    expect(await after(left as Left)).toMatchObject({ version: "1", staging: [], pending: false });
    await expectRollback(left as Left, "2");
  });

  test("a rollback to a version of which no digest tells, at every step: what is on record is what is there", async () => {
    const settings = (folder: string) => readFileSync(join(folder, ".settings"), "utf8");
    for (const [moves, isEdited] of [[0], [1], [2], [3], [3, true]] as const) {
      const left = await interrupted(async (reef) => {
        writeFiles(source, { ...sampleFiles("greeter", "1"), ".settings": "1" });
        expect((await reef.install({ source, link: false, dirName: "greeter" })).status).toBe(201);
        writeFiles(source, { ".settings": "2" });
        expect((await update(reef)).status).toBe(200);
        writeFiles(source, { ".settings": null });
      }, "rollback");
      const [present, kept] = [join(left.services, "greeter"), join(left.base, "previous/greeter")];
      const [before] = JSON.parse(readFileSync(left.lock, "utf8")).items;
      // As a forced update keeps it.
      if (isEdited) writeFiles(kept, { "lib/greeting.ts": 'export const greeting = "mine";' });
      swap(left, moves);
      const { installed, ...found } = await after(left, { putBack: moves === 2 });
      expect(found).toMatchObject({ version: "1", staging: [], pending: false });
      const isDone = moves === 3;
      expect([settings(present), settings(kept)]).toEqual(isDone ? ["1", "2"] : ["2", "1"]);
      const [{ current, previous }] = JSON.parse(readFileSync(left.lock, "utf8")).items;
      expect([current.files, previous.files]).toEqual(
        isDone
          ? [before.previous.files, before.current.files]
          : [before.current.files, before.previous.files],
      );
      await expectRollback(left, "1");
      expect(settings(present)).toBe(isDone ? "2" : "1");
    }
  });

  test("a rollback in place of a folder that somebody deleted: it is the version before until it is there", async () => {
    for (const arrived of [false, true]) {
      const left = await interrupted(oneWithTwoBehind, "place");
      const { items } = JSON.parse(readFileSync(left.lock, "utf8"));
      Object.assign(items[0].pending, { isGone: true, isKept: true });
      writeFiles(left.sandbox.dataDir, { "installer.json": JSON.stringify({ items }) });
      rmSync(join(left.services, "greeter"), { recursive: true });
      const to = arrived ? join(left.services, "greeter") : join(left.workspace, "older");
      renameSync(join(left.base, "previous/greeter"), to);
      begin(left.workspace);
      const found = await after(left);
      expect(found).toMatchObject({ version: arrived ? "2" : undefined, staging: [], pending: false });
      expect([
        found.installed[0].previous !== undefined,
        existsSync(join(left.base, "previous/greeter")),
      ]).toEqual([!arrived, !arrived]);
    }
  });

  test("a removal, with the folder gone: the entry goes too, and nothing is lost", async () => {
    const left = await interrupted(oneWithTwoBehind, "remove");
    writeFiles(join(left.services, "greeter"), { "data/notes.json": "[1]" });
    swap(left, 1);
    renameSync(join(left.services, "greeter"), join(left.workspace, "outgoing"));
    expect(await after(left)).toMatchObject({
      version: undefined,
      installed: [],
      staging: [],
      pending: false,
    });
    const kept = readdirSync(join(left.base, "kept")).map((name) => join(left.base, "kept", name));
    const [notes = ""] = kept.filter((folder) => existsSync(join(folder, "data")));
    expect(readFileSync(join(notes, "data/notes.json"), "utf8")).toBe("[1]");
    // The version before is no longer that of anything.
    expect([kept.length, readdirSync(join(left.base, "previous"))]).toEqual([2, []]);
  });

  test("a removal, while the service stops: neither of its versions stays behind", async () => {
    const reef = await startInstance();
    const gate = join(source, "gate");
    for (const version of ["1", "2"]) {
      const more = `store: { async flush() { ${waitFor(gate)} } },`;
      writeFiles(source, sampleFiles("greeter", version, more));
      const made = version === "1" ? reef.install({ source, link: false, dirName: "greeter" }) : update(reef);
      expect((await made).status).toBeLessThan(300);
    }
    writeFiles(source, { gate: "" });
    const removed = reef.post("/installer/remove", { name: "greeter" });
    const left = await imageOf(reef, "outgoing");
    rmSync(gate);
    expect((await removed).status).toBe(200);
    await reef.close();
    expect(await after(left)).toMatchObject({
      version: undefined,
      installed: [],
      staging: [],
      pending: false,
    });
    expect(readdirSync(join(left.base, "previous"))).toEqual([]);
  });

  test("a removal, with the folder still there: it stays installed", async () => {
    for (const moves of [0, 1]) {
      const left = await interrupted(oneWithTwoBehind, "remove");
      swap(left, moves);
      expect(await after(left)).toMatchObject({ version: "1", staging: [], pending: false });
      await expectRollback(left, "2");
    }
  });

  test("a first installation: it is there with its entry, or neither is", async () => {
    const first = async (reef: Instance) => {
      writeFiles(source, sampleFiles("greeter", "1"));
      expect((await reef.install({ source, link: false, dirName: "greeter" })).status).toBe(201);
    };
    const withoutCurrent = (left: Left) => {
      const { items } = JSON.parse(readFileSync(left.lock, "utf8"));
      delete items[0].current;
      writeFiles(left.sandbox.dataDir, { "installer.json": JSON.stringify({ items }) });
    };
    const placed = await interrupted(first, "place");
    withoutCurrent(placed);
    begin(placed.workspace);
    const found = await after(placed);
    expect(found).toMatchObject({ version: "1", staging: [], pending: false });
    expect(found.installed).toHaveLength(1);

    const staged = await interrupted(first, "place");
    withoutCurrent(staged);
    renameSync(join(staged.services, "greeter"), join(staged.workspace, "services/greeter"));
    expect(await after(staged)).toMatchObject({
      version: undefined,
      installed: [],
      staging: [],
      pending: false,
    });
  });
});

test("reloading the installer ends what it does, which is then undone", async () => {
  const sandbox = new Sandbox();
  sandboxes.push(sandbox);
  const silent = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () => new Promise<Response>(() => undefined),
  });
  const reef = await startInstance({ env: { REEF_DRAIN_TIMEOUT: "100" } }, sandbox);
  const before = snapshot(reef.servicesDir);
  const begun = await reef.install({ from: silent.url.href, name: "greeter", background: true });
  expect(begun.status).toBe(202);
  expect((await reef.post("/services/reload/installer", {})).status).toBe(200);
  const staging = join(reef.dataDir, ".reef/installer/staging");
  for (let tries = 0; readdirSync(staging).length > 0 && tries < 200; tries++) await Bun.sleep(20);
  expect(readdirSync(staging)).toEqual([]);
  expect(snapshot(reef.servicesDir)).toEqual(before);
  await reef.stop();
  await silent.stop(true);
});
