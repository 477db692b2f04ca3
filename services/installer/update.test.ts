import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GitHost, git, writeFiles } from "./testing/git-host.js";
import { type Instance, snapshot, startInstance } from "./testing/instance.js";
import { sampleFiles } from "./testing/samples.js";

const source = mkdtempSync(join(tmpdir(), "reef-update-"));
const host = new GitHost();
let reef: Instance;

beforeAll(async () => {
  reef = await startInstance();
});
afterAll(async () => {
  await reef.close();
  await host.close();
  rmSync(source, { recursive: true, force: true });
});
afterEach(async () => {
  await reef.post("/installer/remove", { name: "greeter", force: true });
});

const folder = () => join(reef.servicesDir, "greeter");
const release = (version: string) => writeFiles(source, sampleFiles("greeter", version));
const update = (body = {}) => reef.post("/installer/update", { name: "greeter", ...body });
const rollback = () => reef.post("/installer/rollback", { name: "greeter" });
const versionNow = async () => (await reef.request("GET", "/greeter")).data.version;
const entry = async () => (await reef.request("GET", "/installer/installed")).data.installed[0];

async function install(body = {}): Promise<void> {
  release("1");
  const { status } = await reef.install({ source, link: false, dirName: "greeter", ...body });
  expect(status).toBe(201);
}

test("an update puts files into place that are no code, and so can the next one", async () => {
  await install();
  for (const content of ["A=1", "A=2"]) {
    writeFiles(source, { ".env.example": content });
    expect(await update()).toMatchObject({ status: 200, data: { changed: true } });
    expect(readFileSync(join(folder(), ".env.example"), "utf8")).toBe(content);
  }
  expect(await update()).toMatchObject({ status: 200, data: { changed: false } });
  writeFiles(source, { ".env.example": null });
});

test("a rollback is answered with the ref of the version that serves, and so is the list", async () => {
  const url = host.serveSmart();
  host.create("ada/greeter", sampleFiles("greeter", "1"));
  git(host.workingCopy("ada/greeter"), "tag", "v1");
  host.commit("ada/greeter", sampleFiles("greeter", "2"));
  git(host.workingCopy("ada/greeter"), "tag", "v2");
  host.publish("ada/greeter");
  const from = { source: `${url}/ada/greeter.git`, dirName: "greeter" };
  for (const ref of ["v1", undefined]) {
    await reef.install({ ...from, ...(ref && { ref }) });
    await update({ ref: "v2", force: true });
    const { data } = await rollback();
    expect([data.ref, (await entry()).ref]).toEqual([ref, ref]);
    expect((await rollback()).data.ref).toBe("v2");
    await reef.post("/installer/remove", { name: "greeter" });
  }
});

test("a rollback that fails keeps the version before, and works once that is mended", async () => {
  await install();
  release("2");
  await update();
  const kept = join(reef.dataDir, ".reef/installer/previous/greeter/index.ts");
  const code = readFileSync(kept, "utf8");
  for (const gone of [false, true]) {
    if (gone) rmSync(folder(), { recursive: true });
    const { previous } = await entry();
    writeFileSync(kept, "export default {");
    expect((await rollback()).status).toBe(400);
    expect((await entry()).previous).toEqual(previous);
    writeFileSync(kept, code);
  }
  expect((await rollback()).status).toBe(200);
  expect(await versionNow()).toBe("1");
});

describe("a folder that was deleted by hand", () => {
  test("comes back with an update, also when its source has not changed", async () => {
    await install();
    const before = snapshot(folder()).map((line) => line.replace(/ \d+$/, ""));
    rmSync(folder(), { recursive: true });
    expect(await update()).toMatchObject({ status: 200, data: { changed: true } });
    expect(snapshot(folder()).map((line) => line.replace(/ \d+$/, ""))).toEqual(before);
    expect(await versionNow()).toBe("1");
    expect((await rollback()).status).toBe(409);
  });

  test("keeps the version before, which a rollback brings, and nothing of that one comes along", async () => {
    await install();
    writeFiles(source, { "old.ts": "" });
    await update();
    writeFiles(source, { "old.ts": null });
    release("2");
    await update();
    rmSync(folder(), { recursive: true });
    expect(await update()).toMatchObject({ status: 200, data: { changed: true } });
    expect([await versionNow(), existsSync(join(folder(), "old.ts"))]).toEqual(["2", false]);
    expect((await rollback()).status).toBe(200);
    expect([await versionNow(), existsSync(join(folder(), "old.ts"))]).toEqual(["1", true]);
    expect((await rollback()).status).toBe(200);
    expect(await versionNow()).toBe("2");
  });

  test("does not count as a version before once a rollback has put that one in its place", async () => {
    await install();
    release("2");
    await update();
    rmSync(folder(), { recursive: true });
    expect((await rollback()).status).toBe(200);
    expect([await versionNow(), (await entry()).previous]).toEqual(["1", undefined]);
  });

  test("comes back as a link where it was one", async () => {
    await install({ link: true });
    rmSync(folder());
    expect((await update()).status).toBe(200);
    expect([await versionNow(), (await entry()).linked]).toEqual(["1", true]);
  });
});

test("a service that is switched off is neither updated nor rolled back, and is not fetched for nothing", async () => {
  await install();
  release("2");
  await update();
  await reef.post("/services/disable/greeter", {});
  rmSync(source, { recursive: true });
  for (const refused of [await update(), await rollback()]) {
    expect(refused).toMatchObject({
      status: 409,
      data: { code: "DISABLED", error: expect.stringContaining("POST /services/enable/greeter") },
    });
  }
  const away = `${folder()}-away`;
  renameSync(folder(), away);
  expect(await update()).toMatchObject({ status: 409, data: { code: "DISABLED", step: "source" } });
  renameSync(away, folder());
  await reef.post("/services/enable/greeter", {});
  expect((await rollback()).status).toBe(200);
});
