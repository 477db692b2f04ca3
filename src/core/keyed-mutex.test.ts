import { describe, expect, test } from "bun:test";
import { AsyncLocalStorage } from "node:async_hooks";
import { KeyedMutex } from "./keyed-mutex.js";

test("work of one key runs in order and never overlaps; other keys do not wait for it", async () => {
  const mutex = new KeyedMutex();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await gate.promise;
    log.push(`${name} ends`);
    return name;
  };
  const results = Promise.all([mutex.runExclusive("a", work("1")), mutex.runExclusive("a", work("2"))]);
  expect(await mutex.runExclusive("b", async () => "other")).toBe("other");
  expect(log).toEqual(["1 begins"]);
  gate.resolve();
  expect(await results).toEqual(["1", "2"]);
  expect(log).toEqual(["1 begins", "1 ends", "2 begins", "2 ends"]);
});

test("work that fails says so to its own caller, and the next has its turn", async () => {
  const mutex = new KeyedMutex();
  const bad = mutex.runExclusive("a", async () => {
    throw new Error("why");
  });
  const good = mutex.runExclusive("a", async () => "good");
  await expect(bad).rejects.toThrow("why");
  expect(await good).toBe("good");
  expect(await mutex.runExclusive("a", async () => "later")).toBe("later");
});

describe("work that would wait for itself is refused", () => {
  test("when it asks for more under its own key", async () => {
    const mutex = new KeyedMutex();
    const inner = mutex.runExclusive("a", () => mutex.runExclusive("a", async () => "never"));
    await expect(inner).rejects.toThrow("a → a");
    expect(await mutex.runExclusive("a", async () => "later")).toBe("later");
  });

  test("when what it waits for asks for its key, also in another context", async () => {
    const mutex = new KeyedMutex((cycle) => new RangeError(cycle.join(" > ")));
    const elsewhere = AsyncLocalStorage.snapshot();
    const third = () => mutex.runExclusive("a", async () => "never");
    const second = () => elsewhere(mutex.partOf(() => mutex.runExclusive("c", third)));
    const first = mutex.runExclusive("a", () => mutex.runExclusive("b", second));
    await expect(first).rejects.toThrow(new RangeError("c > a > b > c"));
  });

  test("when two that were begun apart ask for each other, whichever comes second", async () => {
    const mutex = new KeyedMutex();
    const gate = Promise.withResolvers<void>();
    const asking = (own: string, other: string) =>
      mutex.runExclusive(own, async () => {
        await gate.promise;
        return mutex.runExclusive(other, async () => `${own} has ${other}`);
      });
    const both = Promise.allSettled([asking("a", "b"), asking("b", "a")]);
    gate.resolve();
    expect(await both).toMatchObject([{ value: "a has b" }, { reason: { message: expect.any(String) } }]);
  });

  test("but not what it leaves behind, in whatever context that goes on", async () => {
    const mutex = new KeyedMutex();
    const over = Promise.withResolvers<void>();
    const left: Array<Promise<string>> = [];
    const elsewhere = AsyncLocalStorage.snapshot();
    await mutex.runExclusive("a", async () => {
      const again = () => mutex.runExclusive("a", async () => "had its turn");
      const part = mutex.partOf(again);
      left.push(over.promise.then(again));
      left.push(over.promise.then(() => elsewhere(part)));
      left.push(over.promise.then(() => mutex.runExclusive("b", mutex.partOf(again))));
    });
    over.resolve();
    expect(await Promise.all(left)).toEqual(Array(3).fill("had its turn"));
  });

  test("and nothing else is: what is over is not waited for", async () => {
    const mutex = new KeyedMutex();
    const asking = (own: string, other: string) =>
      mutex.runExclusive(own, () => mutex.runExclusive(other, async () => `${own} has ${other}`));
    expect(await asking("a", "b")).toBe("a has b");
    expect(await asking("b", "a")).toBe("b has a");
  });
});
