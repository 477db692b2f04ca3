import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, Sandbox } from "../../tests/support/sandbox.js";
import type { CheckAnswer } from "./check-child.js";
import { CheckProcess, type Job } from "./check-process.js";
import type { LoadFailure } from "./load-failure.js";

let sandbox: Sandbox;
let scratch: string;
let child: CheckProcess;
/** What it reported: `room`, `slow …` and `end …`, with the folders of the jobs that were handed back. */
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

function begin(handedBack: (jobs: Job[]) => void = () => undefined): CheckProcess {
  child = new CheckProcess(
    { servicesDir: sandbox.servicesDir, timeoutMs: 20_000, scratch },
    {
      onRoom: () => reports.push("room"),
      onSlow: (waiting) => {
        reports.push(`slow ${foldersOf(waiting)}`);
        handedBack(waiting);
      },
      onEnd: (waiting) => reports.push(`end ${foldersOf(waiting)}`),
    },
  );
  return child;
}

/** Has a folder imported; resolves with the answer or with why there is none. */
function imported(dirName: string): Promise<CheckAnswer | LoadFailure> {
  const { promise, resolve } = Promise.withResolvers<CheckAnswer | LoadFailure>();
  child.work({
    request: { op: "import", dirNames: [dirName] },
    resolve: ([answer]) => resolve(answer as CheckAnswer),
    reject: resolve,
  });
  return promise;
}

const plain = (name: string) => `export default { name: "${name}" };`;

test("jobs are answered in the order in which they were given; a few fit in ahead", async () => {
  sandbox.services({ "a/index.ts": plain("a"), "b/index.ts": plain("b") });
  // On a busy machine any job may take long enough to seem stuck.
  begin((jobs) => {
    for (const job of jobs) child.work(job);
  });
  const room = child.room;
  expect([child.idle, room > 1]).toEqual([true, true]);
  const answers = Promise.all(["a", "b", "a"].map(imported));
  expect([child.idle, child.room]).toEqual([false, room - 3]);
  expect(await answers).toMatchObject(["a", "b", "a"].map((name) => ({ ok: true, facts: { name } })));
  await eventually(() => child.idle);
  expect(child.room).toBe(room);
});

test("what was to follow a job that may be stuck is handed back, and its answer is nobody's", async () => {
  const gate = join(sandbox.root, "open");
  sandbox.services({
    "slow/index.ts": `import { existsSync } from "node:fs";
      while (!existsSync(${JSON.stringify(gate)})) await Bun.sleep(1);
      ${plain("slow")}`,
    "next/index.ts": plain("next"),
  });
  begin();
  const slow = imported("slow");
  let followed = false;
  void imported("next").then(() => {
    followed = true;
  });
  await eventually(() => reports.includes("slow next"));
  expect([child.slow, child.room, child.idle]).toEqual([true, 0, false]);
  mkdirSync(gate);
  expect(await slow).toMatchObject({ facts: { name: "slow" } });
  await eventually(() => child.idle);
  expect([child.slow, followed]).toEqual([false, false]);
});

describe("several at once", () => {
  /** Hands over one job for these folders; resolves with what it is told, if it is. */
  function together(...dirNames: string[]): Promise<CheckAnswer[] | LoadFailure> {
    const { promise, resolve } = Promise.withResolvers<CheckAnswer[] | LoadFailure>();
    const request = { op: "import" as const, dirNames };
    child.work({ request, resolve, reject: resolve, together: [] });
    return promise;
  }

  test("are imported side by side, and answered in their order", async () => {
    const waitsFor = (name: string, other: string) => `const met = (globalThis.__met ??= {});
      (met["${name}"] ??= Promise.withResolvers()).resolve();
      await (met["${other}"] ??= Promise.withResolvers()).promise;
      ${plain(name)}`;
    sandbox.services({
      "a/index.ts": waitsFor("a", "b"),
      "b/index.ts": waitsFor("b", "a"),
      "bad/index.ts": 'throw new Error("broken");',
    });
    begin();
    expect(await together("a", "bad", "b")).toMatchObject([
      { ok: true, facts: { name: "a" } },
      { ok: false, code: "IMPORT_FAILED" },
      { ok: true, facts: { name: "b" } },
    ]);
  });

  test.each([
    ["one ends the process", "globalThis.process.exit(3);", "end bad+good next"],
    ["one gets stuck", "while (true) {}", "slow bad+good next"],
  ])("are handed back, and none is blamed, when %s", async (_what, source, report) => {
    sandbox.services({
      "bad/index.ts": source,
      "good/index.ts": plain("good"),
      "next/index.ts": plain("next"),
    });
    begin();
    let told = false;
    for (const telling of [together("bad", "good"), imported("next")]) {
      void telling.then(() => {
        told = true;
      });
    }
    await eventually(() => reports.includes(report));
    await child.end();
    expect(told).toBe(false);
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
      await eventually(() => reports.includes("end b"));
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
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const job: Job = { request: { op: "import", dirNames: ["a"] }, resolve, reject: resolve };
      for (let round = 1; round <= 3; round++) {
        begin().work(job);
        await eventually(() => reports.filter((report) => report.startsWith("end")).length === round);
      }
      expect(reports).toEqual(["end a", "end a", "end "]);
      expect(await promise).toMatchObject({
        code: "CHECK_FAILED",
        message: expect.stringContaining("did not start (exit code 1)"),
      });
    } finally {
      spawned.mockRestore();
    }
  });

  test("the job being done is blamed, and those behind it are handed back", async () => {
    sandbox.services({ "bad/index.ts": "globalThis.process.exit(3);", "next/index.ts": plain("next") });
    begin();
    const bad = imported("bad");
    void imported("next");
    expect(await bad).toMatchObject({
      code: "PROCESS_ENDED",
      step: "import",
      message: expect.stringContaining("exit code 3"),
    });
    await eventually(() => reports.some((report) => report.startsWith("end")));
    expect(reports.filter((report) => report.endsWith("next"))).toHaveLength(1);
    expect([child.idle, child.room]).toEqual([false, 0]);
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
  expect(reports.at(-1)).toBe("end ");
  expect(readdirSync(scratch)).toEqual([]);
});
