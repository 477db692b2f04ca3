import { afterEach, expect, test } from "bun:test";
import { Deadline, TimerWheel } from "./timer-wheel.js";

let now = 1_000;
const wheel = new TimerWheel(() => now);
afterEach(() => wheel.stop());

class Noted extends Deadline {
  expiredAt: number | null = null;
  expire(): void {
    this.expiredAt = now;
  }
}

function advance(milliseconds: number): void {
  for (let passed = 0; passed < milliseconds; passed++) {
    now++;
    wheel.tick();
  }
}

test("deadlines expire within one tick after their time and never before", () => {
  const delays = [1, 15, 16, 17, 100, 8_191, 8_192, 8_193, 30_000];
  const set = delays.map((delay) => {
    const deadline = new Noted();
    wheel.add(deadline, delay);
    return { deadline, due: now + delay };
  });
  advance(31_000);
  for (const { deadline, due } of set) {
    expect(deadline.expiredAt).toBeGreaterThanOrEqual(due);
    expect(deadline.expiredAt).toBeLessThanOrEqual(due + 16);
  }
  expect(wheel.size).toBe(0);
});

test("a cleared deadline stays silent, and clearing twice does nothing", () => {
  const [kept, cleared] = [new Noted(), new Noted()];
  wheel.add(kept, 50);
  wheel.add(cleared, 50);
  wheel.remove(cleared);
  wheel.remove(cleared);
  advance(100);
  expect([kept.expiredAt !== null, cleared.expiredAt]).toEqual([true, null]);
});

test("after a long pause of the process everything due expires at once", () => {
  const deadlines = [10, 500, 20_000].map((delay) => {
    const deadline = new Noted();
    wheel.add(deadline, delay);
    return deadline;
  });
  now += 60_000;
  wheel.tick();
  expect(deadlines.every(({ expiredAt }) => expiredAt === now)).toBe(true);
});

test("a deadline may clear its neighbours while it expires", () => {
  const second = new Noted();
  const first = new (class extends Deadline {
    expire(): void {
      wheel.remove(second);
      wheel.remove(third);
    }
  })();
  const third = new Noted();
  for (const deadline of [third, first, second]) wheel.add(deadline, 20);
  const fourth = new Noted();
  wheel.add(fourth, 20);
  advance(60);
  expect(wheel.size).toBe(0);
  expect(third.expiredAt).toBeNull();
  expect(fourth.expiredAt).not.toBeNull();
});
