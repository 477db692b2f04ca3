import { describe, expect, test } from "bun:test";
import { AsyncLocalStorage } from "node:async_hooks";
import { Turns } from "./turns.js";

test("work of one key runs in order and never overlaps; other keys do not wait for it", async () => {
  const turns = new Turns();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await gate.promise;
    log.push(`${name} ends`);
    return name;
  };
  const results = Promise.all([turns.take("a", work("1")), turns.take("a", work("2"))]);
  expect(await turns.take("b", async () => "other")).toBe("other");
  expect(log).toEqual(["1 begins"]);
  gate.resolve();
  expect(await results).toEqual(["1", "2"]);
  expect(log).toEqual(["1 begins", "1 ends", "2 begins", "2 ends"]);
});

test("work that fails says so to its own caller, and the next has its turn", async () => {
  const turns = new Turns();
  const bad = turns.take("a", async () => {
    throw new Error("why");
  });
  const good = turns.take("a", async () => "good");
  await expect(bad).rejects.toThrow("why");
  expect(await good).toBe("good");
  expect(await turns.take("a", async () => "later")).toBe("later");
});

describe("work that would wait for itself is refused", () => {
  test("when it asks for more under its own key", async () => {
    const turns = new Turns();
    const inner = turns.take("a", () => turns.take("a", async () => "never"));
    await expect(inner).rejects.toThrow("a → a");
    expect(await turns.take("a", async () => "later")).toBe("later");
  });

  test("when what it waits for asks for its key, also in another context", async () => {
    const turns = new Turns((circle) => new RangeError(circle.join(" > ")));
    const elsewhere = AsyncLocalStorage.snapshot();
    const third = () => turns.take("a", async () => "never");
    const second = () => elsewhere(turns.partOf(() => turns.take("c", third)));
    const first = turns.take("a", () => turns.take("b", second));
    await expect(first).rejects.toThrow(new RangeError("c > a > b > c"));
  });

  test("when two that were begun apart ask for each other, whichever comes second", async () => {
    const turns = new Turns();
    const gate = Promise.withResolvers<void>();
    const asking = (own: string, other: string) =>
      turns.take(own, async () => {
        await gate.promise;
        return turns.take(other, async () => `${own} has ${other}`);
      });
    const both = Promise.allSettled([asking("a", "b"), asking("b", "a")]);
    gate.resolve();
    expect(await both).toMatchObject([{ value: "a has b" }, { reason: { message: expect.any(String) } }]);
  });

  test("but not what it leaves behind, in whatever context that goes on", async () => {
    const turns = new Turns();
    const over = Promise.withResolvers<void>();
    const left: Array<Promise<string>> = [];
    const elsewhere = AsyncLocalStorage.snapshot();
    await turns.take("a", async () => {
      const again = () => turns.take("a", async () => "had its turn");
      const part = turns.partOf(again);
      left.push(over.promise.then(again));
      left.push(over.promise.then(() => elsewhere(part)));
      left.push(over.promise.then(() => turns.take("b", turns.partOf(again))));
    });
    over.resolve();
    expect(await Promise.all(left)).toEqual(Array(3).fill("had its turn"));
  });

  test("and nothing else is: what is over is not waited for", async () => {
    const turns = new Turns();
    const asking = (own: string, other: string) =>
      turns.take(own, () => turns.take(other, async () => `${own} has ${other}`));
    expect(await asking("a", "b")).toBe("a has b");
    expect(await asking("b", "a")).toBe("b has a");
  });
});
