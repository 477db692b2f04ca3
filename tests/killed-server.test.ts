/** What is left of a server that had no chance to clean up. */
import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contentDigest } from "../src/core/code/digest.js";
import { lives, ReefProcess } from "./support/process.js";
import { answering, eventually, Sandbox } from "./support/sandbox.js";

let sandbox: Sandbox;
let reef: ReefProcess | undefined;
afterEach(async () => {
  await reef?.stop("SIGKILL");
  reef = undefined;
  sandbox.remove();
});

/** Code that notes its process and one that it starts, and then never lets go of the processor. */
const endless = (marker: string) => `import { spawn } from "node:child_process";
  import { writeFileSync } from "node:fs";
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  writeFileSync(${JSON.stringify(marker)}, process.pid + " " + child.pid + "\\n");
  while (true) {}`;

async function noted(marker: string): Promise<number[]> {
  await eventually(
    () => existsSync(marker) && readFileSync(marker, "utf8").endsWith("\n"),
    "the endless code",
  );
  const pids = readFileSync(marker, "utf8").trim().split(" ").map(Number);
  expect(pids.map(lives)).toEqual([true, true]);
  return pids;
}

test("code that is being tried, in an endless loop, ends with the server", async () => {
  sandbox = new Sandbox();
  const marker = join(sandbox.root, "pids");
  sandbox.services({ "loop/index.ts": endless(marker) });
  reef = new ReefProcess(sandbox, { env: { REEF_INIT_TIMEOUT: "600000" } });
  const pids = await noted(marker);
  await reef.stop("SIGKILL");
  await eventually(() => !pids.some(lives), "the end of what was being tried");
});

test("the tests of a deploy, in an endless loop, end with the server", async () => {
  sandbox = new Sandbox({ "lamp/index.ts": answering("lamp", "one") });
  const marker = join(sandbox.root, "pids");
  symlinkSync(join(import.meta.dir, "..", "services", "services"), join(sandbox.servicesDir, "services"));
  reef = await new ReefProcess(sandbox).serving("services", "lamp");
  sandbox.services({ "lamp/lamp.test.ts": endless(marker) });
  const body = JSON.stringify({ name: "lamp" });
  const deploy = reef.call("/services/deploy", { method: "POST", body }).catch(() => undefined);
  const pids = await noted(marker);
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`reef-deploy-${server}-`));
  const server = reef.child.pid;
  expect(left()).toHaveLength(1);
  await reef.stop("SIGKILL");
  await deploy;
  await eventually(() => !pids.some(lives), "the end of the tests");
  rmSync(join(sandbox.servicesDir, "lamp", "lamp.test.ts"));
  reef = await new ReefProcess(sandbox).serving("services", "lamp");
  await eventually(() => left().length === 0, "the removal of what they wrote");
});

/** A server that tries an extension file which never comes to an end, with the processes of that. */
async function tryingExtension(): Promise<{ server: ReefProcess; pids: number[]; left: () => string[] }> {
  sandbox = new Sandbox();
  const marker = join(sandbox.root, "pids");
  // The process that tries it has nothing of the server's environment.
  const [imports, endlessly] = endless(marker).split(/(?=const child)/);
  sandbox.services({
    "loop/index.ts": `${imports} export default { name: "loop", registerTools() {
      if (process.env.REEF_DATA_DIR) return;
      ${endlessly} } };`,
  });
  symlinkSync(join(import.meta.dir, "..", "services", "agent"), join(sandbox.servicesDir, "agent"));
  reef = await new ReefProcess(sandbox).serving("agent");
  const pids = await noted(marker);
  const word = `reef-inspect-${reef.child.pid}-`;
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith(word));
  expect(left()).toHaveLength(1);
  return { server: reef, pids, left };
}

test("an extension file that is being tried, in an endless loop, ends with the server", async () => {
  const { server, pids, left } = await tryingExtension();
  await server.stop("SIGKILL");
  await eventually(() => !pids.some(lives), "the end of what was being tried");
  rmSync(join(sandbox.servicesDir, "loop"), { recursive: true });
  reef = await new ReefProcess(sandbox).serving("agent");
  await eventually(() => left().length === 0, "the removal of what it wrote");
});

test("a server that is stopped while it tries an extension file leaves nothing of that", async () => {
  const { server, pids, left } = await tryingExtension();
  expect(await server.stop("SIGTERM")).toBe(0);
  expect([pids.map(lives), left()]).toEqual([[false, false], []]);
  expect(server.output).not.toContain("cannot be built");
});

test("the next server removes the folders of checks that were cut off", async () => {
  sandbox = new Sandbox({ "a/index.ts": answering("a", "one") });
  const left = join(sandbox.dataDir, ".reef", "checks", "child-left");
  mkdirSync(left, { recursive: true });
  reef = await new ReefProcess(sandbox).serving("a");
  expect(existsSync(left)).toBe(false);
});

test("services that are on their way when the server ends are not reported as broken", async () => {
  sandbox = new Sandbox();
  const marker = join(sandbox.root, "pids");
  sandbox.services({ "loop/index.ts": endless(marker) });
  reef = await new ReefProcess(sandbox, { env: { REEF_INIT_TIMEOUT: "600000" } }).listening();
  await noted(marker);
  expect(await reef.stop("SIGTERM")).toBe(0);
  expect(reef.output).toContain("SIGTERM");
  expect(reef.output).not.toContain("skipped");
});

test("a rollback that is cut off leaves the folder with one of its versions, never a mix", async () => {
  const parts = Array.from({ length: 60 }, (_, n) => `part-${String(n).padStart(2, "0")}.ts`);
  const version = (text: string) => {
    for (const part of parts) sandbox.services({ [`lamp/${part}`]: `export const text = "${text}";` });
    const imports = parts.map((part, n) => `import { text as t${n} } from "./${part}";`).join("\n");
    const all = `[${parts.map((_, n) => `t${n}`)}].join(" ")`;
    sandbox.services({ "lamp/index.ts": `${imports}\n${answering("lamp", "@").replace('"@"', all)}` });
    return contentDigest(lamp);
  };
  sandbox = new Sandbox();
  const lamp = join(sandbox.servicesDir, "lamp");
  symlinkSync(join(import.meta.dir, "..", "services", "services"), join(sandbox.servicesDir, "services"));
  const first = version("one");
  reef = await new ReefProcess(sandbox).serving("services", "lamp");
  const copy = join(sandbox.dataDir, ".reef", "snapshots", "lamp", first);
  await eventually(() => existsSync(copy), "the copy of the first version");
  const versions = new Map([
    [first, "one"],
    [version("two"), "two"],
  ]);
  expect((await reef.call("/services/reload/lamp", { method: "POST" })).status).toBe(200);
  // Wherever the kill hits, the verdict is the same; these are moments at which a mix would show.
  const begun = () => existsSync(join(sandbox.dataDir, ".reef", "rollbacks", "lamp.json"));
  for (const written of [0, 1, 30, 59]) {
    const part = join(lamp, parts[written] as string);
    const before = readFileSync(part, "utf8");
    let answered = false;
    const rollback = reef
      .call("/services/rollback/lamp", { method: "POST", body: "{}" })
      .then(
        ({ status }) => status,
        () => "cut off",
      )
      .finally(() => {
        answered = true;
      });
    while (!answered && !(begun() && (written === 0 || readFileSync(part, "utf8") !== before)))
      await Bun.sleep(0);
    await reef.stop("SIGKILL");
    expect(["cut off", 200]).toContain(await rollback);
    reef = await new ReefProcess(sandbox).serving("services", "lamp");
    const text = versions.get(contentDigest(lamp));
    expect(text).toBeDefined();
    expect(await (await reef.call("/lamp")).text()).toBe(parts.map(() => text).join(" "));
    expect([begun(), readdirSync(lamp).length]).toEqual([false, parts.length + 1]);
  }
}, 60_000);
