import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import fs, {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFiles } from "../testing/git-host.js";
import { type Instance, snapshot, startInstance } from "../testing/instance.js";
import { sampleFiles } from "../testing/samples.js";
import { copyFolder } from "./local.js";

const ground = mkdtempSync(join(tmpdir(), "reef-local-"));
let reef: Instance;
let empty: string[];

beforeAll(async () => {
  reef = await startInstance();
  empty = snapshot(reef.servicesDir);
});
afterAll(async () => {
  await reef.close();
  rmSync(ground, { recursive: true, force: true });
});

function folder(name: string, version = "1"): string {
  const dir = join(ground, name);
  mkdirSync(dir, { recursive: true });
  writeFiles(dir, sampleFiles("greeter", version));
  return dir;
}

const versionNow = async () => (await reef.request("GET", "/greeter")).data.version;

describe("a folder on this machine", () => {
  test("is linked, follows its files at an update, and is unlinked, never deleted", async () => {
    const dir = folder("my linked greeter");
    const before = snapshot(dir);
    const installed = await reef.install({ source: dir, dirName: "greeter", test: true });
    expect(installed).toMatchObject({
      status: 201,
      data: { type: "local", source: dir, dirName: "greeter" },
    });
    expect(lstatSync(join(reef.servicesDir, "greeter")).isSymbolicLink()).toBe(true);
    expect((await reef.request("GET", "/installer/installed")).data.installed[0].linked).toBe(true);
    writeFiles(dir, sampleFiles("greeter", "2"));
    expect((await reef.post("/installer/update", { name: "greeter" })).status).toBe(200);
    expect(await versionNow()).toBe("2");
    writeFiles(dir, { "index.ts": "export default {" });
    expect((await reef.post("/installer/update", { name: "greeter" })).status).toBe(400);
    expect(await versionNow()).toBe("2");
    writeFiles(dir, sampleFiles("greeter", "1"));
    expect((await reef.post("/installer/rollback", { name: "greeter" })).status).toBe(409);
    expect((await reef.post("/installer/remove", { name: "greeter" })).status).toBe(200);
    expect(snapshot(reef.servicesDir)).toEqual(empty);
    expect(snapshot(dir)).toEqual(before);
  });

  test("that is reached by a link is the one that this leads to at an update, and the other one after a rollback", async () => {
    const releases = ["1", "2"].map((version) => folder(`release-${version}`, version));
    const source = join(ground, "current");
    symlinkSync(releases[0] as string, source);
    expect((await reef.install({ source, dirName: "greeter" })).status).toBe(201);
    expect(await versionNow()).toBe("1");
    rmSync(source);
    symlinkSync(releases[1] as string, source);
    const update = () => reef.post("/installer/update", { name: "greeter" });
    expect((await update()).data.changed).toBe(true);
    expect(await versionNow()).toBe("2");
    expect((await update()).data.changed).toBe(false);
    for (const version of ["1", "2"]) {
      expect((await reef.post("/installer/rollback", { name: "greeter" })).status).toBe(200);
      expect(await versionNow()).toBe(version);
    }
    expect((await reef.post("/installer/remove", { name: "greeter" })).data.kept).toBeUndefined();
    expect(snapshot(reef.servicesDir)).toEqual(empty);
    expect(releases.map((release) => existsSync(join(release, "index.ts")))).toEqual([true, true]);
  });

  test("is copied when asked, without what is no part of it", async () => {
    const dir = folder("copied");
    writeFiles(dir, {
      "node_modules/x/index.js": "",
      ".git/config": "",
      "data/notes.json": "[]",
      ".env.example": "A=",
    });
    expect((await reef.install({ source: dir, link: false })).status).toBe(201);
    const copy = join(reef.servicesDir, "copied");
    expect(lstatSync(copy).isSymbolicLink()).toBe(false);
    expect([".git", "node_modules", "data"].filter((name) => existsSync(join(copy, name)))).toEqual([]);
    expect(existsSync(join(copy, ".env.example"))).toBe(true);
    writeFiles(dir, sampleFiles("greeter", "2"));
    expect((await reef.post("/installer/update", { name: "greeter" })).data.changed).toBe(true);
    expect(await versionNow()).toBe("2");
    expect((await reef.post("/installer/remove", { name: "copied" })).status).toBe(200);
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });

  test("that was switched off can be installed again after it was removed, and runs", async () => {
    const dir = folder("off");
    const install = () => reef.install({ source: dir, link: false, dirName: "off" });
    expect((await install()).status).toBe(201);
    expect((await reef.post("/services/disable/greeter", {})).status).toBe(200);
    expect((await reef.post("/installer/remove", { name: "greeter" })).status).toBe(200);
    expect((await reef.request("GET", "/services/greeter")).status).toBe(404);
    expect((await install()).status).toBe(201);
    expect(await versionNow()).toBe("1");
    expect((await reef.post("/installer/remove", { name: "greeter" })).status).toBe(200);
  });

  test("whose links lead out of it is not copied", async () => {
    const dir = folder("leaking");
    symlinkSync("/etc/passwd", join(dir, "passwd"));
    expect(await reef.install({ source: dir, link: false })).toMatchObject({
      status: 400,
      data: { step: "unpack" },
    });
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });

  test("is copied with nothing but whether a file can be run of who may do what with it", async () => {
    const dir = folder("modes");
    const modes = { "index.ts": 0o666, "run.sh": 0o4755, "lib/greeting.ts": 0o2600 };
    writeFiles(dir, { "run.sh": "" });
    for (const [path, mode] of Object.entries(modes)) chmodSync(join(dir, path), mode);
    expect((await reef.install({ source: dir, link: false })).status).toBe(201);
    const copied = Object.keys(modes).map(
      (path) => lstatSync(join(reef.servicesDir, "modes", path)).mode & 0o7777,
    );
    expect(copied).toEqual([0o644, 0o755, 0o644]);
    expect((await reef.post("/installer/remove", { name: "modes" })).status).toBe(200);
  });

  test.if(process.platform === "linux")("whose copy cannot be written is not kept open", async () => {
    const opened = () =>
      readdirSync("/proc/self/fd").filter((fd) => existsSync(`/proc/self/fd/${fd}`)).length;
    const dir = folder("unwritten");
    const root = join(ground, "in-the-way");
    writeFiles(root, sampleFiles("greeter", "1"));
    const before = opened();
    for (let round = 0; round < 20; round++) {
      await expect(copyFolder(dir, root, new AbortController().signal)).rejects.toThrow("EEXIST");
    }
    expect(opened()).toBeLessThan(before + 5);
  });

  test("with more code than a service may have is refused with the reason, and so is an update to it", async () => {
    const dir = folder("heavy");
    const refused = {
      status: 400,
      data: { step: "check", code: "UNREADABLE", error: expect.stringContaining("film.bin") },
    };
    expect((await reef.install({ source: dir })).status).toBe(201);
    writeFiles(dir, { "film.bin": "" });
    truncateSync(join(dir, "film.bin"), 300 * 2 ** 20);
    expect(await reef.post("/installer/update", { name: "heavy" })).toMatchObject(refused);
    expect((await reef.post("/installer/remove", { name: "heavy" })).status).toBe(200);
    expect(await reef.install({ source: dir })).toMatchObject(refused);
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });

  test("that may not be read is refused with the reason", async () => {
    const dir = folder("closed");
    // The system refuses root nothing.
    const deny = (path: unknown) => {
      if (!realpathSync(String(path)).startsWith(realpathSync(dir))) return;
      throw Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: "EACCES" });
    };
    const { readdir } = fs.promises;
    const { readFileSync } = fs;
    const spies = [
      spyOn(fs.promises, "readdir").mockImplementation((async (...args: Parameters<typeof readdir>) => {
        deny(args[0]);
        return readdir(...args);
      }) as typeof readdir),
      spyOn(fs, "readFileSync").mockImplementation(((...args: Parameters<typeof readFileSync>) => {
        deny(args[0]);
        return readFileSync(...args);
      }) as typeof readFileSync),
    ];
    try {
      for (const link of [true, false]) {
        expect(await reef.install({ source: dir, link })).toMatchObject({
          status: 400,
          data: { code: "UNREADABLE", error: expect.stringContaining("EACCES") },
        });
      }
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });

  test("must be there, and must not be Reef's own", async () => {
    for (const [source, status] of [
      [join(ground, "nowhere"), 404],
      ["/etc/passwd", 404],
      [reef.servicesDir, 400],
      [join(reef.dataDir, ".reef"), 400],
      ["/", 400],
    ] as const) {
      expect((await reef.install({ source, dirName: "x" })).status).toBe(status);
    }
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });
});

describe("what the installer did not put there", () => {
  test("moves along at an update, and is kept aside at a removal", async () => {
    const dir = folder("shared");
    await reef.install({ source: dir, link: false, dirName: "greeter" });
    const here = join(reef.servicesDir, "greeter");
    writeFiles(here, { "data/notes.json": "[1]", ".env": "A=1" });
    writeFiles(dir, sampleFiles("greeter", "2"));
    expect((await reef.post("/installer/update", { name: "greeter" })).status).toBe(200);
    expect(readFileSync(join(here, "data/notes.json"), "utf8")).toBe("[1]");
    writeFiles(here, { "lib/greeting.ts": `export const greeting = "mine";` });
    const removed = await reef.post("/installer/remove", { name: "greeter" });
    expect(snapshot(reef.servicesDir)).toEqual(empty);
    const kept = removed.data.kept.map((path: string) =>
      readFileSync(path.endsWith("data") ? join(path, "notes.json") : path, "utf8"),
    );
    expect(kept.sort()).toEqual(["A=1", "[1]", `export const greeting = "mine";`].sort());
  });

  test("stands in the way of an update until that is forced, and comes back with a rollback", async () => {
    const dir = folder("edited");
    await reef.install({ source: dir, link: false, dirName: "greeter" });
    const path = join(reef.servicesDir, "greeter", "lib/greeting.ts");
    writeFileSync(path, `export const greeting = "mine";`);
    writeFiles(dir, sampleFiles("greeter", "2"));
    const refused = await reef.post("/installer/update", { name: "greeter" });
    expect(refused).toMatchObject({ status: 409, data: { changed: ["lib/greeting.ts"] } });
    expect((await reef.post("/installer/update", { name: "greeter", force: true })).status).toBe(200);
    expect((await reef.request("GET", "/greeter")).data).toEqual({ version: "2", greeting: "hello from 2" });
    expect((await reef.post("/installer/rollback", { name: "greeter" })).status).toBe(200);
    expect((await reef.request("GET", "/greeter")).data).toEqual({ version: "1", greeting: "mine" });
    await reef.post("/installer/remove", { name: "greeter" });
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });
});

describe("names", () => {
  test("of what is there are not taken, whatever put it there", async () => {
    const dir = folder("second");
    for (const dirName of ["services", "installer"]) {
      expect(await reef.install({ source: dir, dirName })).toMatchObject({ status: 409 });
    }
    expect(await reef.install({ source: dir, dirName: "../x" })).toMatchObject({ status: 400 });
    expect((await reef.install({ source: dir })).status).toBe(201);
    expect(await reef.install({ source: dir })).toMatchObject({
      status: 409,
      data: { error: expect.stringContaining("update or remove") },
    });
    await reef.post("/installer/remove", { name: "second" });
  });

  test("of services that are part of the checkout cannot be updated or removed", async () => {
    for (const name of ["services", "installer", "nothing"]) {
      expect((await reef.post("/installer/update", { name })).status).toBe(404);
      expect((await reef.post("/installer/remove", { name })).status).toBe(404);
    }
    expect((await reef.post("/installer/remove", {})).status).toBe(400);
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });

  test("installed twice at the same time are installed once", async () => {
    const dir = folder("raced");
    const replies = await Promise.all(
      Array.from({ length: 6 }, () => reef.install({ source: dir, dirName: "raced" })),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    await reef.post("/installer/remove", { name: "raced" });
  });

  test("of one service in two folders at the same time: one of them", async () => {
    const dir = folder("twice");
    const replies = await Promise.all(
      ["a", "b", "c"].map((dirName) => reef.install({ source: dir, dirName, link: false })),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(snapshot(reef.servicesDir).length).toBe(empty.length + 6);
    await reef.post("/installer/remove", { name: "greeter" });
    expect(snapshot(reef.servicesDir)).toEqual(empty);
  });
});

test("a service that others need is removed only by force", async () => {
  const dir = folder("needed");
  const needing = join(ground, "needing");
  mkdirSync(needing);
  writeFiles(needing, sampleFiles("needing", "1", 'dependencies: ["greeter"],'));
  expect((await reef.install({ source: dir, dirName: "greeter" })).status).toBe(201);
  expect((await reef.install({ source: needing })).status).toBe(201);
  const before = snapshot(reef.servicesDir);
  expect(await reef.post("/installer/remove", { name: "greeter" })).toMatchObject({
    status: 409,
    data: { code: "IN_USE" },
  });
  expect(snapshot(reef.servicesDir)).toEqual(before);
  expect(await versionNow()).toBe("1");
  expect((await reef.post("/installer/remove", { name: "greeter", force: true })).status).toBe(200);
  expect((await reef.post("/installer/remove", { name: "needing" })).status).toBe(200);
  expect(snapshot(reef.servicesDir)).toEqual(empty);
});

test("a job in the background is answered at once and can be followed", async () => {
  const begun = await reef.install({ source: folder("later"), background: true });
  expect(begun).toMatchObject({ status: 202, data: { dirName: "later", status: "running" } });
  let job = begun.data;
  while (job.status === "running") job = (await reef.request("GET", `/installer/jobs/${begun.data.id}`)).data;
  expect(job).toMatchObject({ status: "done", result: { action: "installed" } });
  expect((await reef.request("GET", "/installer/jobs/none")).status).toBe(404);
  await reef.post("/installer/remove", { name: "later" });
});
