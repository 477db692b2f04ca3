import { afterEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../../tests/support/sandbox.js";
import { temporaryFolder } from "../testing/fixtures.js";
import { startThreads } from "../testing/misbehaviours.js";
import { CommandWatch } from "./watch.js";

const MB = 1024 * 1024;
const LIMIT = 300;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A command that holds so many megabytes more than Bun does, and waits. */
const holding = (megabytes: number) => start(`globalThis.held = Buffer.alloc(${megabytes * MB}, 1);`);

async function start(script: string): Promise<number> {
  const run = `${script}\nconsole.log("holds"); setInterval(() => {}, 1e6);`;
  const child = Bun.spawn([process.execPath, "-e", run], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  ends.push(() => {
    process.kill(-child.pid, "SIGKILL");
    return child.exited;
  });
  await child.stdout.getReader().read();
  return child.pid;
}

/** Watches commands by who started them. Resolves with those that are ended, once one is and others had the time to be. */
async function endedOf(commands: readonly (readonly [pid: number, owner: object])[]): Promise<number[]> {
  const watching = new CommandWatch({ maxMemory: LIMIT * MB, maxThreads: 100, memoryInterval: 5 });
  const ended: number[] = [];
  for (const [pid, owner] of commands) {
    ends.push(watching.watch({ pid, owner, confined: false, end: () => ended.push(pid) }));
  }
  await eventually(() => ended.length > 0, "the end");
  await Bun.sleep(50);
  return ended;
}

test("a command that holds more than it may is ended, and no other", async () => {
  const [small, large] = await Promise.all([holding(10), holding(LIMIT)]);
  const ended = await endedOf([
    [small, {}],
    [large, {}],
  ]);
  expect(ended).toEqual([large]);
});

test("a command that has more threads than it may is ended, and no other", async () => {
  const [few, many] = await Promise.all([start(startThreads(20)), start(startThreads(120))]);
  const ended = await endedOf([
    [few, {}],
    [many, {}],
  ]);
  expect(ended).toEqual([many]);
});

test("of those that hold too much together the largest is ended, and the rest go on", async () => {
  const [small, large] = await Promise.all([holding(LIMIT * 0.3), holding(LIMIT * 0.7)]);
  const owner = {};
  const ended = await endedOf([
    [small, owner],
    [large, owner],
  ]);
  expect(ended).toEqual([large]);
});

test("what its processes hold counts, and what they share counts once", async () => {
  const folder = temporaryFolder();
  ends.push(() => folder.remove());
  const file = join(folder.path, "shared");
  writeFileSync(file, Buffer.alloc(100 * MB, 1));
  const family = (count: number, work: string) =>
    start(`const work = ${JSON.stringify(`${work} console.log("holds"); setInterval(() => {}, 1e6);`)};
      for (let n = 0; n < ${count}; n++) {
        const child = Bun.spawn([process.execPath, "-e", work], { stdio: ["ignore", "pipe", "inherit"] });
        await child.stdout.getReader().read();
      }`);
  const sharing = await family(
    4,
    `const m = Bun.mmap(${JSON.stringify(file)}); let n = 0; for (let i = 0; i < m.length; i += 4096) n += m[i]; globalThis.kept = [m, n];`,
  );
  const owning = await family(4, `globalThis.held = Buffer.alloc(${100 * MB}, 1);`);
  const ended = await endedOf([
    [sharing, {}],
    [owning, {}],
  ]);
  expect(ended).toEqual([owning]);
});
