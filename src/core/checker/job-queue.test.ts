import { expect, test } from "bun:test";
import type { Job } from "./job.js";
import { JobQueue } from "./job-queue.js";

function job(name: string, op: "import" | "start" = "import", suspected?: number): Job {
  return {
    request: { op, dirNames: [name] },
    resolve: () => undefined,
    reject: () => undefined,
    ...(suspected === undefined ? {} : { suspected }),
  };
}

const names = (jobs: readonly Job[]) => jobs.map(({ request }) => request.dirNames[0]);
const inOrder = (queue: JobQueue) => names(queue.kinds.flat());

test("imports come first, then suspected ones, then starts, and last what needs a process to its end", () => {
  const queue = new JobQueue();
  queue.add(job("to the end", "import", 2));
  queue.add(job("start", "start"));
  queue.add(job("suspected start", "start", 1));
  queue.add(job("suspected import", "import", 1));
  queue.add(job("import"));
  expect(inOrder(queue)).toEqual(["import", "suspected import", "start", "suspected start", "to the end"]);
});

test("what is put back keeps its order and comes before the rest of its kind", () => {
  const queue = new JobQueue();
  for (const name of ["c", "d"]) queue.add(job(name));
  queue.putBack([job("a"), job("x", "start"), job("b")]);
  expect(inOrder(queue)).toEqual(["a", "b", "c", "d", "x"]);
});

test("taking all leaves nothing", () => {
  const queue = new JobQueue();
  for (const op of ["import", "start"] as const) queue.add(job(op, op));
  expect([queue.size, names(queue.takeAll()), queue.size]).toEqual([2, ["import", "start"], 0]);
});
