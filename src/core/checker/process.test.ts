import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, Sandbox } from "../../../tests/support/sandbox.js";
import type { LoadFailure } from "../load-failure.js";
import type { Job } from "./job.js";
import type { CheckAnswer } from "./messages.js";
import { CheckProcess } from "./process.js";

let sandbox: Sandbox;
let scratch: string;
let child: CheckProcess;
/** What it reported: `room`, `back …` with the folders of the jobs that were handed back, and `end`. */
let reports: string[];
beforeEach(() => {
  sandbox = new Sandbox();
  scratch = join(sandbox.root, "scratch");
  reports = [];
});
afterEach(async () => {
  await child.end();
  sandbox.remove();
});

const foldersOf = (jobs: Job[]) => jobs.map(({ request }) => request.dirNames.join("+")).join(" ");

function begin(timeoutMs = 20_000): CheckProcess {
  child = new CheckProcess(
    { servicesDir: sandbox.servicesDir, timeoutMs, scratch },
    {
      onRoom: () => reports.push("room"),
      onHandBack: (jobs) => reports.push(`back ${foldersOf(jobs)}`),
      onEnd: () => reports.push("end"),
    },
  );
  return child;
}

type Told = CheckAnswer | LoadFailure;

/** A job that imports a folder, and what comes of it. */
function importing(dirName: string, suspected?: number) {
  const { promise, resolve } = Promise.withResolvers<Told>();
  const job: Job = { request: { op: "import", dirNames: [dirName] }, resolve, reject: resolve, suspected };
  return { job, told: promise };
}

/** Has folders imported side by side; tells what has come of each so far, by its name. */
function imports(...dirNames: string[]) {
  const told: Record<string, Told> = {};
  const jobs = dirNames.map((dirName) => importing(dirName));
  child.work(jobs.map(({ job }) => job));
  const all = jobs.map(async (one, at) => {
    told[dirNames[at] as string] = await one.told;
  });
  return { told, jobs: jobs.map(({ job }) => job), all: Promise.all(all) };
}

/** Has one folder imported. */
async function imported(dirName: string): Promise<Told> {
  const { told, all } = imports(dirName);
  await all;
  return told[dirName] as Told;
}

const plain = (name: string) => `export default { name: "${name}" };`;

test("folders are imported side by side, and each is answered as soon as it can be", async () => {
  const waitsFor = (name: string, other: string) => `const met = (globalThis.__met ??= {});
    (met["${name}"] ??= Promise.withResolvers()).resolve();
    await (met["${other}"] ??= Promise.withResolvers()).promise;
    ${plain(name)}`;
  sandbox.services({
    "a/index.ts": waitsFor("a", "b"),
    "b/index.ts": waitsFor("b", "a"),
    "bad/index.ts": 'throw new Error("broken");',
    "never/index.ts": "await new Promise(() => {});",
  });
  begin();
  expect(child.idle).toBe(true);
  const { told } = imports("a", "never", "bad", "b");
  expect(child.idle).toBe(false);
  await eventually(() => Object.keys(told).length === 3);
  expect(told).toMatchObject({
    a: { ok: true, facts: { name: "a" } },
    b: { ok: true, facts: { name: "b" } },
    bad: { ok: false, code: "IMPORT_FAILED" },
  });
});

describe("room", () => {
  const { job: any } = importing("any");
  const { job: suspect } = importing("any", 1);
  const { job: culprit } = importing("any", 2);
  const start: Job = { ...any, request: { op: "start", dirNames: ["any"] } };
  const rooms = () => [any, suspect, culprit, start].map((job) => child.room(job) > 0);

  test("is for several imports, or for one thing of which it must be known what it does", async () => {
    sandbox.services({ "wait/index.ts": "await new Promise(() => {});" });
    begin();
    const room = child.room(any);
    expect([room > 2, child.room(suspect), child.room(culprit), child.room(start)]).toEqual([true, 1, 1, 1]);
    imports("wait", "wait");
    expect(child.room(any)).toBe(room - 2);
    expect(rooms()).toEqual([true, false, false, false]);
    // What only waits keeps nobody from anything, but from being alone.
    await eventually(() => child.room(any) === room);
    expect(rooms()).toEqual([true, true, false, true]);
  });

  test("is for nobody beside what has come under suspicion twice", async () => {
    sandbox.services({ "wait/index.ts": "await new Promise(() => {});" });
    begin();
    child.work([importing("wait", 2).job]);
    expect([...rooms(), child.isWorking]).toEqual([false, false, false, false, true]);
    await eventually(() => !child.isWorking);
    expect(rooms()).toEqual([false, false, false, false]);
  });

  test("is not there while it answers nothing", async () => {
    const gate = join(sandbox.root, "open");
    sandbox.services({
      "loop/index.ts": `import { existsSync } from "node:fs"; while (!existsSync(${JSON.stringify(gate)})); ${plain("loop")}`,
    });
    begin();
    const loop = imported("loop");
    await eventually(() => !child.isWorking);
    expect([...rooms(), child.idle]).toEqual([false, false, false, false, false]);
    mkdirSync(gate);
    expect(await loop).toMatchObject({ facts: { name: "loop" } });
    expect([child.isWorking, child.idle]).toEqual([true, true]);
  });
});

test("a process that cannot be started leaves nothing behind", async () => {
  begin();
  const before = readdirSync(scratch);
  const spawned = spyOn(Bun, "spawn").mockImplementation(() => {
    throw new Error("no more processes");
  });
  try {
    const options = { servicesDir: sandbox.servicesDir, timeoutMs: 1, scratch };
    const never = { onRoom: () => undefined, onHandBack: () => undefined, onEnd: () => undefined };
    expect(() => new CheckProcess(options, never)).toThrow("no more processes");
  } finally {
    spawned.mockRestore();
  }
  expect(readdirSync(scratch)).toEqual(before);
});

test("what waits for too long is told so; the process gets nothing more and ends after its last job", async () => {
  sandbox.services({ "wait/index.ts": "await new Promise(() => {});" });
  begin(300);
  expect(await imported("wait")).toMatchObject({
    code: "IMPORT_TIMEOUT",
    step: "import",
    message: "importing index.ts did not finish within 300 ms.",
  });
  expect([child.isWorking, child.idle]).toEqual([false, false]);
  await eventually(() => reports.includes("end"));
});

describe("of several at once, when it is not known which it was", () => {
  test.each([
    ["ended the process", "globalThis.process.exit(3);"],
    ["blocks the process", "while (true) {}"],
  ])("that %s, all are handed back under suspicion, and none is blamed", async (_what, source) => {
    sandbox.services({ "bad/index.ts": source, "wait/index.ts": "await new Promise(() => {});" });
    begin();
    const { told, jobs } = imports("wait", "bad");
    await eventually(() => reports.includes("back wait bad"));
    await child.end();
    expect([told, jobs.map(({ suspected }) => suspected)]).toEqual([{}, [1, 1]]);
    expect(readdirSync(scratch)).toEqual([]);
  });
});

describe("when the process ends", () => {
  test("a job that it had not begun is handed back, not blamed", async () => {
    sandbox.services({ "a/index.ts": plain("a"), "b/index.ts": plain("b") });
    const spawned = spyOn(Bun, "spawn");
    try {
      begin();
      await imported("a");
      let told = false;
      const [{ value }] = spawned.mock.results as unknown as [{ value: { pid: number } }];
      process.kill(value.pid, "SIGKILL");
      void imported("b").then(() => {
        told = true;
      });
      await eventually(() => reports.includes("back b"));
      expect(told).toBe(false);
    } finally {
      spawned.mockRestore();
    }
  });

  test("a job that no process begins is given up on, with the reason", async () => {
    const spawned = spyOn(Bun, "spawn").mockImplementation(((
      _command: string[],
      { onExit }: { onExit(process: unknown, code: number): void },
    ) => {
      const process = Bun.spawnSync(["true"]);
      setTimeout(() => onExit(process, 1), 1);
      const send = () => {
        throw new Error("the channel is closed");
      };
      return { pid: 2 ** 30, ref: () => undefined, unref: () => undefined, send };
    }) as never);
    try {
      const { job, told } = importing("a");
      for (let round = 1; round <= 3; round++) {
        begin().work([job]);
        await eventually(() => reports.filter((report) => report === "end").length === round);
      }
      expect(reports).toEqual(["back a", "end", "back a", "end", "end"]);
      expect(job.suspected).toBeUndefined();
      expect(await told).toMatchObject({
        code: "CHECK_FAILED",
        message: expect.stringContaining("did not start (exit code 1)"),
      });
    } finally {
      spawned.mockRestore();
    }
  });

  test("the only job that had been begun is blamed", async () => {
    sandbox.services({ "bad/index.ts": "globalThis.process.exit(3);" });
    begin();
    expect(await imported("bad")).toMatchObject({
      code: "PROCESS_ENDED",
      step: "import",
      message: expect.stringContaining("exit code 3"),
    });
    await eventually(() => reports.includes("end"));
    expect([child.idle, child.isWorking]).toEqual([false, false]);
  });

  test("nothing of its folder is left, nor of what the code has started", async () => {
    const marker = join(sandbox.root, "pid");
    sandbox.services({
      // The shell is gone before the process that it started, which nothing but its environment gives away.
      "bad/index.ts": `import { writeFileSync } from "node:fs";
        writeFileSync("left.txt", "x");
        Bun.spawnSync(["sh", "-c", "setsid sleep 600 >/dev/null 2>&1 & echo $! > ${marker}"]);
        globalThis.process.exit(0);`,
    });
    begin();
    expect(readdirSync(scratch)).toHaveLength(1);
    await imported("bad");
    await eventually(() => readdirSync(scratch).length === 0);
    await eventually(() => !existsSync(`/proc/${readFileSync(marker, "utf8").trim()}`));
  });
});

test("ending it tells those who wait why, and resolves when it is gone", async () => {
  sandbox.services({ "loop/index.ts": "while (true) {}" });
  begin();
  const waiting = [imported("loop"), imported("loop")];
  const reason = new Error("no more") as LoadFailure;
  await child.end(reason);
  expect(await Promise.all(waiting)).toEqual([reason, reason]);
  expect(reports.at(-1)).toBe("end");
  expect(readdirSync(scratch)).toEqual([]);
});
