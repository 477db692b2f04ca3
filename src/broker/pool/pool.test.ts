import { expect, test } from "bun:test";
import { DEFAULT_LIMITS } from "../limits.js";
import type { Permissions } from "../permissions/set.js";
import { WorkerPool } from "./pool.js";
import type { Job } from "./slot.js";
import type { Worker } from "./worker.js";

test("who waits for a place gets that of a worker which could not be made", async () => {
  const made: string[] = [];
  const pool = new WorkerPool(
    { ...DEFAULT_LIMITS, maxWorkers: 1 },
    {
      create: async ({ serviceKey }) => {
        made.push(serviceKey);
        throw new Error("no room");
      },
      isWaiting: () => false,
      crashed: () => undefined,
      quarantined: () => undefined,
    },
  );
  const failed = (service: string) =>
    new Promise((reject) => {
      pool.submit(service, {} as Permissions, "", { reject } as Partial<Job> as Job);
    });
  const failures = await Promise.all(["a/main", "b/main"].map(failed));
  expect(failures).toMatchObject([{ code: "start_failed" }, { code: "start_failed" }]);
  expect(made).toEqual(["a/main", "b/main"]);
});

test("closing waits for a worker that is only being made", async () => {
  const made = Promise.withResolvers<Worker>();
  const gone = Promise.withResolvers<void>();
  let isGone = false;
  const pool = new WorkerPool(DEFAULT_LIMITS, {
    create: () => made.promise,
    isWaiting: () => false,
    crashed: () => undefined,
    quarantined: () => undefined,
  });
  const refused = Promise.withResolvers<unknown>();
  pool.submit("plugin/main", {} as Permissions, "", { reject: refused.resolve } as Partial<Job> as Job);
  const closing = pool.close().then(() => isGone);
  expect(await refused.promise).toMatchObject({ code: "unavailable" });
  made.resolve({
    started: Promise.resolve(),
    terminate: async () => {
      await gone.promise;
      isGone = true;
    },
  } as Partial<Worker> as Worker);
  await Bun.sleep(5);
  gone.resolve();
  expect(await closing).toBe(true);
});
