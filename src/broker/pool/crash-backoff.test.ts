import { expect, test } from "bun:test";
import { CrashBackoff } from "./crash-backoff.js";

const limits = { crashWindow: 60_000, crashLimit: 4, restartDelay: 100, maxRestartDelay: 300 };

test("the wait before a restart doubles with each crash, up to its limit", () => {
  const backoff = new CrashBackoff(limits);
  const waits = [1_000, 2_000, 3_000].map((now) => {
    backoff.crashed("it fell over", now);
    return backoff.notBefore - now;
  });
  expect(waits).toEqual([100, 200, 300]);
  expect(backoff.quarantine).toBeNull();
});

test("too many crashes in the window lead to a quarantine that names the last one", () => {
  const backoff = new CrashBackoff(limits);
  for (const now of [0, 10, 20]) backoff.crashed("it fell over", now);
  backoff.crashed("it burnt down", 30);
  expect(backoff.quarantine?.reason).toBe("4 crashes in 1 minutes, the last one: it burnt down");
});

test("crashes before the window count no longer", () => {
  const backoff = new CrashBackoff(limits);
  for (const now of [0, 10, 20]) backoff.crashed("it fell over", now);
  backoff.crashed("it fell over", 60_010);
  expect([backoff.quarantine, backoff.notBefore - 60_010]).toEqual([null, 200]);
});

test("a record that is forgotten lets the next start happen at once", () => {
  const backoff = new CrashBackoff(limits);
  expect(backoff.forget()).toBe(false);
  for (const now of [0, 10, 20, 30]) backoff.crashed("it fell over", now);
  expect(backoff.forget()).toBe(true);
  expect([backoff.quarantine, backoff.notBefore]).toEqual([null, 0]);
  backoff.crashed("it fell over", 40);
  expect([backoff.quarantine, backoff.notBefore]).toEqual([null, 140]);
});
