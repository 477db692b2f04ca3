import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { ProgressTimeout } from "./progress-timeout.js";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Lets what has settled be noticed. */
async function notice(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms);
  await notice();
}

/** What a wait came to, or "waits". */
function outcomeOf(wait: Promise<boolean>): () => boolean | "waits" {
  let outcome: boolean | "waits" = "waits";
  void wait.then((all) => {
    outcome = all;
  });
  return () => outcome;
}

const things = (count: number) => Array.from({ length: count }, () => Promise.withResolvers<void>());

test("a wait is over when all have settled, well or not", async () => {
  const [one, two] = things(2);
  const outcome = outcomeOf(
    new ProgressTimeout(100).allSettled([one?.promise, two?.promise] as Promise<void>[]),
  );
  one?.resolve();
  await pass(50);
  expect(outcome()).toBe("waits");
  two?.reject(new Error("x"));
  await notice();
  expect(outcome()).toBe(true);
  expect(await new ProgressTimeout(100).allSettled([])).toBe(true);
});

test("it is given up when nothing settles for the time given, and goes on while something does", async () => {
  const waiting = things(3);
  const outcome = outcomeOf(new ProgressTimeout(100).allSettled(waiting.map(({ promise }) => promise)));
  await pass(90);
  waiting[0]?.resolve();
  await notice();
  await pass(90);
  expect(outcome()).toBe("waits");
  await pass(10);
  expect(outcome()).toBe(false);
});

test("however much settles, all waits of one together are bounded", async () => {
  const timeout = new ProgressTimeout(100);
  const waiting = things(10);
  const outcome = outcomeOf(timeout.allSettled(waiting.map(({ promise }) => promise)));
  for (const one of waiting.slice(0, 4)) {
    await pass(60);
    one.resolve();
    await notice();
  }
  expect(outcome()).toBe("waits");
  await pass(10);
  expect(outcome()).toBe(false);
  const later = outcomeOf(timeout.allSettled([things(1)[0]?.promise as Promise<void>]));
  await pass(0);
  expect(later()).toBe(false);
});
