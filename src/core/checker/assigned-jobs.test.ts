import { beforeEach, describe, expect, test } from "bun:test";
import { AssignedJobs } from "./assigned-jobs.js";
import type { Job } from "./job.js";
import { SLOW_MS } from "./messages.js";

let now: number;
let jobs: AssignedJobs;
beforeEach(() => {
  now = 0;
  jobs = new AssignedJobs(() => now);
});

function importing(name: string, suspected?: number): Job {
  const ignore = () => undefined;
  return { request: { op: "import", dirNames: [name] }, resolve: ignore, reject: ignore, suspected };
}

const foldersOf = (taken: readonly Job[]) => taken.map(({ request }) => request.dirNames.join());

test("each is told under a number of its own, and answered once by it", () => {
  const answers: unknown[] = [];
  const job = { ...importing("a"), resolve: (answer: object) => answers.push(answer) };
  const [a, b] = jobs.add([job, importing("b")]);
  expect([a, b]).toMatchObject([
    { op: "import", dirNames: ["a"] },
    { op: "import", dirNames: ["b"] },
  ]);
  expect(a?.number).not.toBe(b?.number as number);
  jobs.answer(a?.number as number, { ok: true });
  jobs.answer(a?.number as number, { ok: false });
  // The code that is tried may say anything.
  jobs.answer(-1, { ok: true });
  jobs.begin([-1]);
  expect([answers, jobs.size]).toEqual([[{ ok: true }], 1]);
});

describe("room", () => {
  const fresh = importing("x");
  const suspect = importing("x", 1);
  const culprit = importing("x", 2);
  const rooms = () => [fresh, suspect, culprit].map((job) => jobs.roomFor(job) > 0);

  test("is for many when there are none, or for one that is suspected", () => {
    expect([jobs.roomFor(fresh) > 100, jobs.roomFor(suspect), jobs.roomFor(culprit)]).toEqual([true, 1, 1]);
  });

  test("beside what is suspected there is none until it has shown that it only takes its time", () => {
    const [one] = jobs.add([importing("a", 1)]);
    jobs.begin([one?.number as number]);
    expect([rooms(), jobs.areAllFresh]).toEqual([[false, false, false], true]);
    now = SLOW_MS;
    expect([rooms(), jobs.areAllFresh, jobs.hasExclusive]).toEqual([[true, true, false], false, false]);
  });

  test("beside what is suspected twice there is none, and none is to come", () => {
    const [one] = jobs.add([importing("a", 2)]);
    jobs.begin([one?.number as number]);
    expect(jobs.hasExclusive).toBe(false);
    now = SLOW_MS;
    expect(jobs.hasExclusive).toBe(true);
  });
});

describe("when the process goes wrong", () => {
  test("the only one that it was at is known; what was only handed over is not counted", () => {
    const [a] = jobs.add(["a", "b"].map((name) => importing(name)));
    expect([jobs.takeOnlyBegun(), jobs.isSingleRunning]).toEqual([undefined, false]);
    jobs.begin([a?.number as number]);
    expect(foldersOf([jobs.takeOnlyBegun() as Job])).toEqual(["a"]);
    expect([jobs.size, jobs.isSingleRunning]).toEqual([1, false]);
  });

  test("of two nobody knows which it was: both come under suspicion, once more each time", () => {
    const all = [importing("a"), importing("b", 1), importing("c")];
    const [a, b] = jobs.add(all);
    jobs.begin([a, b].map((one) => one?.number as number));
    expect(jobs.takeOnlyBegun()).toBeUndefined();
    expect(foldersOf(jobs.takeSuspects())).toEqual(["a", "b", "c"]);
    expect([all.map(({ suspected }) => suspected), jobs.size]).toEqual([[1, 2, undefined], 0]);
  });

  test("what no process comes up for is given up on after so many", () => {
    const job = importing("a");
    jobs.add([job]);
    expect(jobs.takeUnstartable(2)).toEqual([]);
    expect(jobs.takeUnstartable(2)).toEqual([job]);
    expect(jobs.size).toBe(0);
  });
});

test("each folder that is started has its own time", () => {
  const [several] = jobs.add([{ ...importing("a"), request: { op: "start", dirNames: ["a", "b"] } }]);
  const number = several?.number as number;
  jobs.begin([number]);
  now = 49;
  jobs.advance([number, -1]);
  now = 98;
  expect(jobs.takeOverdue(50)).toEqual([]);
  now = 99;
  expect(foldersOf(jobs.takeOverdue(50))).toEqual(["a,b"]);
});

test("overdue is what has been going on for so long, not what has waited", () => {
  const [a] = jobs.add(["a", "b"].map((name) => importing(name)));
  jobs.begin([a?.number as number]);
  now = 49;
  // To be told of it again does not make it younger.
  jobs.begin([a?.number as number]);
  expect(jobs.takeOverdue(50)).toEqual([]);
  now = 50;
  expect(foldersOf(jobs.takeOverdue(50))).toEqual(["a"]);
  expect(foldersOf(jobs.takeAll())).toEqual(["b"]);
});
