import { expect, test } from "bun:test";
import { getEventListeners } from "node:events";
import { PendingWaits, untilAborted } from "./waiters.js";

const outcome = (promise: Promise<unknown>) => promise.catch((error: Error) => error.message);

test("who waits gets what comes, be it a value or an error", async () => {
  const waits = new PendingWaits();
  expect(await waits.wait(Promise.resolve(1))).toBe(1);
  expect(await outcome(waits.wait(Promise.reject(new Error("why"))))).toBe("why");
});

test("who waits when it is given up is told, and so is who comes later; who had the answer keeps it", async () => {
  const waits = new PendingWaits();
  const had = waits.wait(Promise.resolve("in time"));
  expect(await had).toBe("in time");
  const waiting = waits.wait(new Promise(() => undefined));
  waits.rejectAll(new Error("no more"));
  waits.rejectAll(new Error("another reason"));
  const later = waits.wait(Promise.resolve("too late"));
  expect([await outcome(waiting), await outcome(later), await had]).toEqual([
    "no more",
    "no more",
    "in time",
  ]);
});

test("who waits until a signal gets what comes before it, and its reason else; then nothing listens to it", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = () => getEventListeners(signal, "abort").length;
  expect(await untilAborted(Promise.resolve(1))).toBe(1);
  expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
  expect(await outcome(untilAborted(Promise.reject(new Error("why")), signal))).toBe("why");
  const waiting = untilAborted(new Promise(() => undefined), signal);
  const other = untilAborted(new Promise(() => undefined), signal, (reason) => new Error(`no: ${reason}`));
  expect(listeners()).toBe(2);
  controller.abort(new Error("enough"));
  expect([await outcome(waiting), await outcome(other)]).toEqual(["enough", "no: Error: enough"]);
  expect(await outcome(untilAborted(new Promise(() => undefined), signal))).toBe("enough");
  expect(listeners()).toBe(0);
});
