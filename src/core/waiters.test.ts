import { expect, test } from "bun:test";
import { Waiters } from "./waiters.js";

const outcome = (promise: Promise<unknown>) => promise.catch((error: Error) => error.message);

test("who waits gets what comes, be it a value or an error", async () => {
  const waiters = new Waiters();
  expect(await waiters.wait(Promise.resolve(1))).toBe(1);
  expect(await outcome(waiters.wait(Promise.reject(new Error("why"))))).toBe("why");
});

test("who waits when it is given up is told, and so is who comes later; who had the answer keeps it", async () => {
  const waiters = new Waiters();
  const had = waiters.wait(Promise.resolve("in time"));
  expect(await had).toBe("in time");
  const waiting = waiters.wait(new Promise(() => undefined));
  waiters.giveUp(new Error("no more"));
  waiters.giveUp(new Error("another reason"));
  const later = waiters.wait(Promise.resolve("too late"));
  expect([await outcome(waiting), await outcome(later), await had]).toEqual([
    "no more",
    "no more",
    "in time",
  ]);
});
