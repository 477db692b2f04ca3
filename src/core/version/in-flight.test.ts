import { expect, test } from "bun:test";
import { awaitingChange, currentWork } from "../generation/host-context.js";
import { InFlight } from "./in-flight.js";

test("work is under way until its promise settles, however it does; what is no promise is over at once", async () => {
  const inFlight = new InFlight({});
  expect(inFlight.run(() => "done")).toBe("done");
  expect(() =>
    inFlight.run(() => {
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(await inFlight.whenOver(0)).toBe(true);
  const [good, bad] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const results = Promise.allSettled([inFlight.run(() => good.promise), inFlight.run(() => bad.promise)]);
  expect(await inFlight.whenOver(1)).toBe(false);
  const over: string[] = [];
  const waits = [1, 2].map((n) => inFlight.whenOver(60_000).then((isNone) => over.push(`${n} ${isNone}`)));
  good.resolve("a");
  await good.promise;
  expect(over).toEqual([]);
  bad.reject(new Error("b"));
  await Promise.all(waits);
  expect(over).toEqual(["1 true", "2 true"]);
  expect((await results).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
});

test("what waits for a change itself, or for somebody who does, is not waited for", async () => {
  const [outer, inner] = [new InFlight({}), new InFlight({})];
  const change = Promise.withResolvers<void>();
  const running = outer.run(async () => inner.run(() => awaitingChange(() => change.promise)));
  expect(await Promise.all([outer.whenOver(0), inner.whenOver(0)])).toEqual([true, true]);
  expect(await outer.whenOver(0, true)).toBe(false);
  change.resolve();
  await running;
  expect(currentWork.getStore()).toBeUndefined();
});

test("what comes to wait for a change while it is waited for is not waited for any longer", async () => {
  const inFlight = new InFlight({});
  const [begin, change] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const running = inFlight.run(async () => {
    await begin.promise;
    await awaitingChange(() => change.promise);
  });
  const over = inFlight.whenOver(60_000);
  const allOver = inFlight.whenOver(60_000, true);
  begin.resolve();
  expect(await over).toBe(true);
  change.resolve();
  await running;
  expect(await allOver).toBe(true);
});

test("what goes on after it, by a timer for instance, is no part of it", async () => {
  const inFlight = new InFlight({});
  let rounds = 0;
  let deepest = 0;
  const round = async (): Promise<void> => {
    let depth = 0;
    for (let work = currentWork.getStore(); work; work = work.parent) depth++;
    deepest = Math.max(deepest, depth);
    if (++rounds < 50) setTimeout(() => void inFlight.run(round), 0);
  };
  await inFlight.run(round);
  while (rounds < 50) await Bun.sleep(1);
  expect(deepest).toBe(1);
});
