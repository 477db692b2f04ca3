import { expect, test } from "bun:test";
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
