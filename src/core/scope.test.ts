import { describe, expect, test } from "bun:test";
import { nesting } from "../../tests/support/nesting.js";
import { eventually } from "../../tests/support/sandbox.js";
import { LogBook } from "./log.js";
import { type Run, Scope, ScopeEnded, withTimeout } from "./scope.js";

const never = new Promise<never>(() => undefined);
const nothing = () => undefined;
const make = (run?: Run) => {
  const logs = new LogBook(nothing);
  return {
    scope: new Scope("s", logs.logger("s"), run),
    lines: () => logs.lines("s").map(({ text }) => text),
  };
};

describe("withTimeout", () => {
  const late = () => new Error("late");
  test("passes the value or the error on", async () => {
    expect(await withTimeout(Promise.resolve(1), 1000, late)).toBe(1);
    // As a service may hand it over.
    expect(await withTimeout(2 as unknown as Promise<number>, 1000, late)).toBe(2);
    expect(withTimeout(Promise.reject(new Error("own")), 1000, late)).rejects.toThrow("own");
  });
  test("rejects when it takes too long", async () => {
    expect(withTimeout(never, 1, late)).rejects.toThrow("late");
  });
});

describe("the end of a scope", () => {
  test("a signal that is first asked for after the end is aborted, with the reason", async () => {
    const { scope } = make();
    await scope.end();
    expect(scope.signal.aborted).toBe(true);
    expect(scope.signal.reason).toBeInstanceOf(ScopeEnded);
  });

  test("aborts the signal first, then runs disposers, last registered first, one after the other", async () => {
    const { scope } = make();
    const order: string[] = [];
    scope.signal.addEventListener("abort", () => order.push("signal"));
    scope.own(() => void order.push("first"));
    scope.own(async () => {
      order.push("second begins");
      await Bun.sleep(1);
      order.push("second ends");
    });
    expect(scope.disposers).toBe(2);
    await scope.end();
    expect(order).toEqual(["signal", "second begins", "second ends", "first"]);
    expect([scope.ended, scope.active, scope.disposers]).toEqual([true, false, 0]);
    expect(scope.signal.reason).toBeInstanceOf(ScopeEnded);
  });

  test("happens once", async () => {
    const { scope } = make();
    let runs = 0;
    scope.own(() => void runs++);
    await scope.end();
    await scope.end();
    expect(runs).toBe(1);
  });

  test("goes on past disposers and abort listeners that throw or reject, and logs each", async () => {
    const { scope, lines } = make();
    let reached = false;
    scope.own(() => {
      reached = true;
    });
    scope.own(() => Promise.reject(new Error("rejected disposer")));
    scope.own(() => {
      throw new Error("thrown disposer");
    });
    await scope.end();
    expect(reached).toBe(true);
    expect(scope.lateErrors).toBe(2);
    expect(lines().join("\n")).toMatch(/thrown disposer[\s\S]*rejected disposer/);
  });

  test("a withdrawn disposer does not run", async () => {
    const { scope } = make();
    let ran = false;
    const withdraw = scope.own(() => {
      ran = true;
    });
    withdraw();
    expect(scope.disposers).toBe(0);
    await scope.end();
    expect(ran).toBe(false);
  });

  test("what is registered after it is let go of at once", async () => {
    const { scope, lines } = make();
    await scope.end();
    let ran = false;
    scope.own(() => {
      ran = true;
    });
    expect(ran).toBe(true);
    await Bun.sleep(0);
    expect(scope.disposers).toBe(0);
    expect(lines()).toEqual([]);
  });
});

describe("timers of a scope", () => {
  test("run in its context, once or again and again", async () => {
    const { run, depth } = nesting();
    let inside = 0;
    const { scope } = make(run);
    const tick = () => {
      inside += depth();
    };
    scope.timer("timeout", tick, 1);
    const stop = scope.timer("interval", tick, 1);
    expect(scope.timers).toBe(2);
    await eventually(() => inside >= 4);
    expect(scope.timers).toBe(1);
    stop();
    stop();
    expect([scope.timers, scope.disposers]).toEqual([0, 0]);
  });

  test("stop when it ends", async () => {
    const { scope } = make();
    let ticks = 0;
    scope.timer("interval", () => void ticks++, 1);
    await eventually(() => ticks > 1);
    await scope.end();
    const seen = ticks;
    expect(scope.timers).toBe(0);
    await Bun.sleep(10);
    expect(ticks).toBe(seen);
  });

  test.each([2 ** 31, 30 * 86_400_000, Infinity])(
    "of %d ms, which no timer can wait, do not run at once",
    async (ms) => {
      const { scope } = make();
      let ticks = 0;
      for (const kind of ["timeout", "interval"] as const) scope.timer(kind, () => void ticks++, ms);
      await Bun.sleep(10);
      expect([ticks, scope.timers]).toEqual([0, 2]);
      await scope.end();
    },
  );

  test("asked for after the end never run, and are no error", async () => {
    const { scope, lines } = make();
    await scope.end();
    let ticks = 0;
    const stop = scope.timer("timeout", () => void ticks++, 0);
    stop();
    await Bun.sleep(5);
    expect([ticks, scope.timers, scope.lateErrors]).toEqual([0, 0, 0]);
    expect(lines()).toEqual([]);
  });

  test("that throw or reject are counted and logged, and an interval goes on", async () => {
    const { scope, lines } = make();
    let ticks = 0;
    scope.timer(
      "interval",
      () => {
        if (ticks++ % 2 === 0) throw new Error("thrown tick");
        return Promise.reject(new Error("rejected tick"));
      },
      1,
    );
    await eventually(() => scope.lateErrors >= 4);
    await scope.end();
    expect(lines().join("\n")).toMatch(/timer \(interval of 1 ms\)[\s\S]*thrown tick[\s\S]*rejected tick/);
  });
});

describe("outlive", () => {
  test("passes results on", async () => {
    const { scope } = make();
    expect(await scope.outlive(Promise.resolve("v"))).toBe("v");
    expect(scope.outlive(Promise.reject(new Error("own")))).rejects.toThrow("own");
  });

  test("rejects those who wait when the code can no longer answer", async () => {
    const { scope } = make();
    const waiting = scope.outlive(never);
    await scope.end();
    scope.abandon();
    expect(waiting).rejects.toBeInstanceOf(ScopeEnded);
    expect(scope.outlive(Promise.resolve(1))).rejects.toBeInstanceOf(ScopeEnded);
  });
});
