import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, Sandbox } from "../../tests/support/sandbox.js";
import { KEPT_JOBS, type KeptJob, KeptJobs } from "./kept-jobs.js";
import { LogBook } from "./log.js";
import { Scope } from "./scope.js";

interface Errand extends KeptJob {
  what: string;
  result?: unknown;
}

let sandbox: Sandbox;
let lines: string[];
beforeEach(() => {
  sandbox = new Sandbox();
  lines = [];
});
afterEach(() => sandbox.remove());

const folder = () => join(sandbox.dataDir, ".reef", "jobs", "errands");
const onDisk = async (id: string) => Bun.file(join(folder(), `${id}.json`)).json();

/** One version of a service; `end` lets it go. */
function version(outlive = false) {
  const scope = new Scope("errands", new LogBook(({ text }) => lines.push(text)).logger("errands"));
  const onDispose = (fn: () => void | Promise<void>) => void scope.own(fn);
  const host = { dataDir: sandbox.dataDir, log: scope.log, name: "errands", onDispose };
  const options = { kind: "errands", advice: "Look what became of it", outlive };
  return { jobs: new KeptJobs<Errand>(host, options), end: () => scope.end() };
}

/** What a process that is no more has left. */
function left(...jobs: Array<Partial<Errand>>): void {
  mkdirSync(folder(), { recursive: true });
  for (const job of jobs) writeFileSync(join(folder(), `${job.id}.json`), JSON.stringify(job));
}

const at = (second: number) => new Date(second * 1000).toISOString();

test("a job is on disk when it can be acknowledged, and how it ended when that can be told", async () => {
  const { jobs } = version();
  const job = jobs.begin({ what: "go" });
  await jobs.saved(job);
  expect(job).toEqual({ id: job.id, what: "go", status: "running", startedAt: job.startedAt });
  expect(await onDisk(job.id)).toEqual(job);
  await jobs.end(job, { status: "done", result: { far: true } });
  expect(job).toMatchObject({ status: "done", result: { far: true }, finishedAt: expect.any(String) });
  expect(await onDisk(job.id)).toEqual(job);
  await jobs.end(job, { status: "failed", error: "twice" });
  expect(job.status).toBe("done");
  expect(statSync(join(folder(), `${job.id}.json`)).mode & 0o777).toBe(0o600);
});

test("an end is told when it is on disk, not before", async () => {
  const { jobs } = version();
  const job = jobs.begin({ what: "go" });
  await jobs.saved(job);
  const statusOnDisk = () => JSON.parse(readFileSync(join(folder(), `${job.id}.json`), "utf8")).status;
  const waiting = jobs.wait(job.id, 60_000).then(statusOnDisk);
  // It is written first, as it is now.
  jobs.note(job);
  const ending = jobs.end(job, { status: "done" });
  expect(job.status).toBe("running");
  expect(await waiting).toBe("done");
  await ending;
  expect(job.status).toBe("done");
});

test("how far a job has come is on disk, too", async () => {
  const { jobs } = version();
  const job = jobs.begin({ what: "go" });
  await jobs.saved(job);
  for (const what of ["on", "and on"]) {
    job.what = what;
    jobs.note(job);
  }
  await jobs.saved(job);
  expect((await onDisk(job.id)).what).toBe("and on");
});

test("what another process left is as it was; what that had not finished is interrupted, and handed out once", async () => {
  const done = {
    id: "a",
    what: "go",
    status: "done",
    startedAt: at(1),
    finishedAt: at(2),
    result: 1,
  } as const;
  left(done, { id: "b", what: "go", status: "running", startedAt: at(3) });
  const { jobs } = version();
  expect(jobs.get("a")).toEqual(done);
  const cutOff = await jobs.wait("b", 60_000);
  expect(cutOff).toEqual({
    id: "b",
    what: "go",
    status: "interrupted",
    startedAt: at(3),
    error: "the server stopped before this finished. Look what became of it",
  });
  expect(jobs.takeInterrupted()).toEqual([cutOff as Errand]);
  expect(jobs.takeInterrupted()).toEqual([]);
  await jobs.saved(cutOff as Errand);
  expect(await onDisk("b")).toEqual(cutOff);
  expect(jobs.list().map(({ id }) => id)).toEqual(["b", "a"]);
});

test("the next version of a service knows what the one before began, and how that ended", async () => {
  const before = version();
  const job = before.jobs.begin({ what: "go" });
  const after = version();
  const waiting = after.jobs.wait(job.id, 60_000);
  expect(after.jobs.get(job.id)).toBe(job);
  await before.jobs.end(job, { status: "done" });
  expect((await waiting)?.status).toBe("done");
});

test("what a version has not finished when it goes is interrupted, and who waits for it is told", async () => {
  const before = version();
  const job = before.jobs.begin({ what: "go" });
  const after = version();
  const other = after.jobs.begin({ what: "stay" });
  const waiting = after.jobs.wait(job.id, 60_000);
  await before.end();
  expect(await waiting).toMatchObject({
    status: "interrupted",
    error: 'the service "errands" was stopped or replaced before this finished. Look what became of it',
  });
  expect(await onDisk(job.id)).toEqual(job);
  expect(other.status).toBe("running");
  await before.jobs.end(job, { status: "done" });
  expect(job.status).toBe("interrupted");
});

test("what needs nothing of its version goes on without it", async () => {
  const before = version(true);
  const job = before.jobs.begin({ what: "go" });
  await before.end();
  const waiting = version(true).jobs.wait(job.id, 60_000);
  expect(job.status).toBe("running");
  await before.jobs.end(job, { status: "done" });
  expect((await waiting)?.status).toBe("done");
  expect(await onDisk(job.id)).toEqual(job);
});

test("an unknown id is nothing, whatever it is made of; waiting ends in time", async () => {
  const { jobs } = version();
  left({ id: "b", what: "go", status: "done", startedAt: at(1) });
  for (const id of ["", "../errands/b", "b.json", "__proto__", "constructor"]) {
    expect([id, jobs.get(id), await jobs.wait(id, 60_000)]).toEqual([id, undefined, undefined]);
  }
  const job = jobs.begin({ what: "go" });
  expect((await jobs.wait(job.id, 1))?.status).toBe("running");
});

test("the latest that have ended are kept, in the order of their ends, and all that run; others leave nothing", async () => {
  const { jobs, end } = version();
  const [slow, running] = [jobs.begin({ what: "slow" }), jobs.begin({ what: "running" })];
  const ended = Array.from({ length: KEPT_JOBS }, (_, i) => jobs.begin({ what: `${i}` }));
  for (const job of ended) await jobs.end(job, { status: "done" });
  expect(jobs.list()).toHaveLength(KEPT_JOBS + 2);
  await jobs.end(slow, { status: "done" });
  const [first, second] = ended as [Errand, Errand];
  expect([slow, running, second].map(({ id }) => jobs.get(id)?.what)).toEqual(["slow", "running", "1"]);
  expect(jobs.get(first.id)).toBeUndefined();
  // The one that runs ends with its version, as one more.
  await end();
  expect(readdirSync(folder()).toSorted()).toEqual(
    [slow, running, ...ended.slice(2)].map(({ id }) => `${id}.json`).toSorted(),
  );
});

test("of more than that on disk, those that ended last are kept", () => {
  const many = Array.from({ length: KEPT_JOBS + 2 }, (_, i) => i);
  left(
    ...many.map((i) => {
      return { id: `j${i}`, what: "go", status: "done", startedAt: at(i), finishedAt: at(1000 - i) } as const;
    }),
  );
  const { jobs } = version();
  const kept = new Set(jobs.list().map(({ id }) => id));
  expect(many.filter((i) => !kept.has(`j${i}`))).toEqual([KEPT_JOBS, KEPT_JOBS + 1]);
});

test("of what was under way as well when the server ended, all is there to be asked for", () => {
  const ended = Array.from({ length: KEPT_JOBS }, (_, i) => {
    return { id: `e${i}`, what: "go", status: "done", startedAt: at(100), finishedAt: at(200) } as const;
  });
  const running = Array.from({ length: KEPT_JOBS }, (_, i) => {
    return { id: `r${i}`, what: "go", status: "running", startedAt: at(1) } as const;
  });
  left(...ended, ...running);
  const { jobs } = version();
  expect(new Set(jobs.list().map(({ status }) => status))).toEqual(new Set(["interrupted"]));
  expect(jobs.takeInterrupted()).toHaveLength(KEPT_JOBS);
});

test("what cannot be written goes on, says so, and is written once there is room", async () => {
  const { jobs, end } = version();
  mkdirSync(join(sandbox.dataDir, ".reef", "jobs"), { recursive: true });
  writeFileSync(folder(), "in the way");
  const job = jobs.begin({ what: "go" });
  await jobs.saved(job);
  expect([job.status, job.warning]).toEqual([
    "running",
    expect.stringContaining("this will be lost when the server restarts"),
  ]);
  await jobs.end(job, { status: "done" });
  expect(await jobs.wait(job.id, 0)).toMatchObject({ status: "done" });
  expect(lines.filter((line) => line.includes(`the job ${job.id}`))).toHaveLength(1);
  const other = jobs.begin({ what: "wait" });
  await jobs.saved(other);
  rmSync(folder());
  await jobs.end(other, { status: "done" });
  await eventually(() => job.warning === undefined, "the other one");
  expect(await onDisk(job.id)).toEqual(job);
  await end();
});

test("what is too big to be kept is left out on disk, and named", async () => {
  const { jobs } = version();
  const job = jobs.begin({ what: "go" });
  await jobs.end(job, { status: "done", result: "x".repeat(2_000_000) });
  expect(job.result).toHaveLength(2_000_000);
  const { result: _, ...rest } = job;
  expect(await onDisk(job.id)).toEqual({ ...rest, leftOut: ["result"] });
});

test("damaged records are set aside, unfinished ones removed, and the others read", async () => {
  left({ id: "good", what: "go", status: "done", startedAt: at(1) }, { id: "odd", status: "done" });
  writeFileSync(join(folder(), "torn.json"), '{"id":"torn","sta');
  writeFileSync(
    join(folder(), "other.json"),
    JSON.stringify({ id: "good", status: "done", startedAt: at(1) }),
  );
  writeFileSync(join(folder(), "half.json.tmp"), "{");
  mkdirSync(join(folder(), "folder.json"));
  const { jobs } = version();
  expect(jobs.list().map(({ id }) => id)).toEqual(["good"]);
  await eventually(() => lines.length === 4);
  expect(existsSync(join(folder(), "half.json.tmp"))).toBe(false);
  expect(readdirSync(folder()).filter((name) => /^(odd|other|torn)\.json\.corrupt-/.test(name))).toHaveLength(
    3,
  );
});
