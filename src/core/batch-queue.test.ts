import { expect, test } from "bun:test";
import { BatchQueue } from "./batch-queue.js";

test("hands on in one batch, in order, what is pushed in one tick", async () => {
  const batches: number[][] = [];
  const drained = Promise.withResolvers<void>();
  const queue = new BatchQueue<number>((items) => {
    batches.push(items);
    drained.resolve();
  });
  queue.push(1);
  queue.push(2);
  expect(batches).toEqual([]);
  await drained.promise;
  expect(batches).toEqual([[1, 2]]);
});

test("flush drains at once, including what is pushed meanwhile", () => {
  const batches: number[][] = [];
  const queue = new BatchQueue<number>((items) => {
    batches.push(items);
    if (items[0] === 1) queue.push(2);
  });
  queue.push(1);
  queue.flush();
  expect(batches).toEqual([[1], [2]]);
});

test("flush from inside a batch is refused", () => {
  const errors: unknown[] = [];
  const queue = new BatchQueue<number>(() => {
    try {
      queue.flush();
    } catch (error) {
      errors.push(error);
    }
  });
  queue.push(1);
  queue.flush();
  expect(errors).toHaveLength(1);
});

test("drains nothing twice when it was flushed before its timer", async () => {
  const batches: number[][] = [];
  const queue = new BatchQueue<number>((items) => batches.push(items));
  queue.push(1);
  queue.flush();
  await new Promise(setImmediate);
  expect(batches).toEqual([[1]]);
});
