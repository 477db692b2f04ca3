import { describe, expect, test } from "bun:test";
import { idRow, idsAfter, idTime, isEventId, positionBefore } from "./ids.js";

const now = Date.parse("2026-03-01T12:00:00Z");

const nextId = (last: string, clock: number, row = 1) => idsAfter(last, clock, row)(row);

describe("an id", () => {
  test("begins with the present time", () => {
    const id = nextId("", now);
    expect([isEventId(id), idTime(id)]).toEqual([true, now]);
  });

  test.each([1, 0xffffff, 0x1000000, 0xabcdef123456])("carries the row number %d", (row) => {
    const id = nextId("", now, row);
    expect([isEventId(id), idRow(id)]).toEqual([true, row]);
  });

  test("is greater than the one before it, in a batch and in the next one of the same millisecond", () => {
    const first = idsAfter("", now, 0xfffffe);
    const batch = [0xfffffe, 0xffffff, 0x1000000, 0x1000001].map(first);
    batch.push(nextId(batch.at(-1) ?? "", now, 0x1000002));
    expect(batch.toSorted()).toEqual(batch);
    expect(new Set(batch.map(idTime))).toEqual(new Set([now]));
  });

  test.each([
    ["the highest id of this millisecond", now, now],
    ["an id of an hour ahead", now + 3_600_000, now],
  ])("is greater than %s", (_what, time, clock) => {
    const last = positionBefore(time).replace("7000-8000-000000000000", "7fff-bfff-ffffffffffff");
    const id = nextId(last, clock);
    expect(id > last).toBe(true);
    expect([isEventId(id), idTime(id)]).toEqual([true, time + 1]);
  });
});

test("positionBefore lies between the ids of two milliseconds", () => {
  expect(positionBefore(now) > nextId("", now - 1)).toBe(true);
  expect(positionBefore(now) < nextId("", now)).toBe(true);
  expect(positionBefore(Number.MAX_SAFE_INTEGER)).toStartWith("ffffffff-ffff-");
});

test.each(["", "x", 7, null, "01a1fbe8-ecbd-4215-90ba-3c9b6b271f0e", "01A1FBE8-ECBD-7215-90BA-3C9B6B271F0E"])(
  "%p is no event id",
  (value) => expect(isEventId(value)).toBe(false),
);
