import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogBook } from "../log.js";
import type { FolderChange } from "../registry-types.js";
import { createServer, type ReefServer } from "../server.js";

let ground: string;
let services: string;
let reef: ReefServer;
let changes: string[];

function write(dir: string, code: string, file = "index.ts"): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, file), code);
  return dir;
}

const service = (name: string, more = "") => `export default { name: "${name}", description: "1", ${more} };`;

/** Moves `from` to `to`, and back. */
const move = (from: string, to: string): FolderChange => ({
  apply: () => renameSync(from, to),
  undo: () => renameSync(to, from),
});

beforeEach(async () => {
  ground = mkdtempSync(join(tmpdir(), "reef-change-"));
  services = join(ground, "services");
  mkdirSync(services);
  const logs = new LogBook(() => undefined);
  reef = await createServer({ servicesDir: services, dataDir: join(ground, "data"), authToken: "t", logs });
  changes = [];
  reef.events.on("services:changed", ({ name, action }) => {
    changes.push(`${name} ${action}`);
  });
});
afterEach(async () => {
  await reef.close(0);
  rmSync(ground, { recursive: true, force: true });
});

describe("changeFolder", () => {
  test("loads what a new folder holds, and stops the service when the folder goes", async () => {
    const staged = write(join(ground, "staged"), service("a"));
    const folder = join(services, "a");
    expect(await reef.ctx.registry.changeFolder("a", move(staged, folder))).toEqual({
      name: "a",
      action: "added",
    });
    expect(reef.liveModules.has("a")).toBe(true);
    expect(await reef.ctx.registry.changeFolder("a", move(folder, staged))).toEqual({
      name: "a",
      action: "removed",
    });
    expect(reef.liveModules.has("a")).toBe(false);
    expect(changes).toEqual(["a added", "a removed"]);
  });

  test("takes back a change whose code cannot be loaded, and keeps no record of it", async () => {
    const staged = write(join(ground, "staged"), service("a", "init() { throw new Error('no') }"));
    const change = move(staged, join(services, "a"));
    await expect(reef.ctx.registry.changeFolder("a", change)).rejects.toThrow("no");
    expect(existsSync(staged)).toBe(true);
    expect(existsSync(join(services, "a"))).toBe(false);
    expect(reef.registry.failures.list()).toEqual([]);
  });

  test("keeps the record of what was wrong before", async () => {
    write(join(services, "a"), "export default 1;");
    await reef.ctx.registry.sync();
    const before = reef.registry.failures.list();
    expect(before).toHaveLength(1);
    const file = join(services, "a", "index.ts");
    const change = {
      apply: () => writeFileSync(file, "export default 2"),
      undo: () => writeFileSync(file, "export default 1;"),
    };
    await expect(reef.ctx.registry.changeFolder("a", change)).rejects.toThrow("number");
    expect(reef.registry.failures.list()).toEqual(before);
  });

  test("is refused for a service that others need, unless forced", async () => {
    write(join(services, "a"), service("a"));
    write(join(services, "b"), service("b", 'dependencies: ["a"]'));
    await reef.ctx.registry.sync();
    const change = move(join(services, "a"), join(ground, "gone"));
    await expect(reef.ctx.registry.changeFolder("a", change)).rejects.toMatchObject({ code: "IN_USE" });
    expect(existsSync(join(services, "a"))).toBe(true);
    expect(reef.liveModules.has("a")).toBe(true);
    await reef.ctx.registry.changeFolder("a", change, { force: true });
    expect(reef.liveModules.has("a")).toBe(false);
  });

  test("tells of a folder that holds something else than a service", async () => {
    const staged = write(join(ground, "staged"), '{ "reef": { "services": [] } }', "package.json");
    const change = move(staged, join(services, "p"));
    expect(await reef.ctx.registry.changeFolder("p", change)).toEqual({ name: "p", action: "added" });
    expect(changes).toEqual(["p added"]);
  });

  test("right after the start waits until what runs is kept for a rollback", async () => {
    await reef.close(0);
    for (const name of ["a", "b", "c"]) write(join(services, name), service(name));
    reef = await createServer({
      servicesDir: services,
      dataDir: join(ground, "later"),
      authToken: "t",
      logs: new LogBook(() => undefined),
    });
    const before = reef.ctx.registry.get("c")?.digest as string;
    const folder = join(services, "c");
    const staged = write(join(ground, "staged"), `${service("c")} // changed`);
    const old = join(ground, "old");
    const change = {
      apply: () => {
        renameSync(folder, old);
        renameSync(staged, folder);
      },
      undo: () => undefined,
    };
    await reef.ctx.registry.changeFolder("c", change);
    expect(await reef.ctx.registry.rollback("c")).toMatchObject({ name: "c", digest: before });
  });

  test("that throws has changed nothing", async () => {
    const change = move(join(ground, "missing"), join(services, "a"));
    await expect(reef.ctx.registry.changeFolder("a", change)).rejects.toThrow("ENOENT");
    await expect(reef.ctx.registry.changeFolder("../a", change)).rejects.toMatchObject({
      code: "BAD_FOLDER",
    });
    expect(reef.registry.failures.list()).toEqual([]);
  });
});
