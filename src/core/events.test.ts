import { describe, expect, test } from "bun:test";
import { EventBus, ServiceEventBus, TREE_EVENT } from "./events.js";
import { LogBook } from "./log.js";
import { Scope } from "./scope.js";

const make = () => {
  const reports: string[] = [];
  const bus = new EventBus((where, error) => reports.push(`${where}: ${(error as Error).message}`));
  const logs = new LogBook(() => undefined);
  const scope = (name: string) => {
    const made = new Scope(name, logs.logger(name));
    made.active = true;
    return made;
  };
  return { bus, reports, logs, scope };
};

describe("delivery", () => {
  test("reaches every subscriber with the very data, in the order of subscription", async () => {
    const { bus } = make();
    const seen: unknown[] = [];
    const data = { n: 1 };
    const host = bus.view();
    host.on("a", (d) => void seen.push(["first", d]));
    host.on("a", (d) => void seen.push(["second", d]));
    host.on("b", () => void seen.push("other event"));
    expect(await host.emit("a", data)).toBeUndefined();
    expect(seen).toEqual([
      ["first", data],
      ["second", data],
    ]);
    expect((seen[0] as unknown[])[1]).toBe(data);
  });

  test("emit waits for asynchronous subscribers, fire does not", async () => {
    const { bus } = make();
    let done = 0;
    bus.view().on("a", async () => {
      await Bun.sleep(1);
      done++;
    });
    bus.view().fire("a", null);
    expect(done).toBe(0);
    await bus.view().emit("a", null);
    expect(done).toBe(2);
  });

  test("an event without subscribers is no error", async () => {
    expect(await make().bus.view().emit("nobody", 1)).toBeUndefined();
  });

  test.each(["__proto__", "constructor", "toString"])("%s is an event like any other", async (name) => {
    const { bus } = make();
    let seen = 0;
    await bus.view().emit(name, 0);
    bus.view().on(name, () => void seen++);
    await bus.view().emit(name, 0);
    expect(seen).toBe(1);
  });

  test("once delivers once, also when the handler emits the event again", async () => {
    const { bus } = make();
    let seen = 0;
    const host = bus.view();
    host.once("a", async () => {
      seen++;
      await host.emit("a", 0);
    });
    await host.emit("a", 0);
    await host.emit("a", 0);
    expect([seen, bus.count()]).toEqual([1, 0]);
  });

  test("a subscriber that comes or goes during a delivery takes effect with the next", async () => {
    const { bus } = make();
    const seen: string[] = [];
    const host = bus.view();
    host.once("a", () => {
      seen.push("early");
      host.on("a", () => void seen.push("late"));
    });
    await host.emit("a", 0);
    expect(seen).toEqual(["early"]);
    await host.emit("a", 0);
    expect(seen).toEqual(["early", "late"]);
  });

  test.each<[string, () => unknown]>([
    [
      "an empty name",
      () =>
        make()
          .bus.view()
          .on("", () => undefined),
    ],
    [
      "a missing handler",
      () =>
        make()
          .bus.view()
          .on("a", undefined as never),
    ],
  ])("%s is refused", (_what, fn) => expect(fn).toThrow(TypeError));

  test("a free-standing bus works by itself", async () => {
    const bus = new ServiceEventBus();
    let seen = 0;
    const off = bus.on("a", (n) => {
      seen += n;
    });
    await bus.emit("a", 2);
    off();
    await bus.emit("a", 2);
    expect(seen).toBe(2);
  });
});

describe("containment", () => {
  test("subscribers that throw or reject stop nobody and are logged under their own service", async () => {
    const { bus, reports, logs, scope } = make();
    const [bad, good] = [scope("bad"), scope("good")];
    const seen: string[] = [];
    bus.view(bad).on("a", () => {
      throw new Error("thrown");
    });
    bus.view(bad).on("a", () => Promise.reject(new Error("rejected")));
    bus.view().on("a", () => {
      throw new Error("host's own");
    });
    bus.view(good).on("a", () => void seen.push("good"));
    await bus.view(good).emit("a", 0);
    expect(seen).toEqual(["good"]);
    expect([bad.lateErrors, good.lateErrors]).toEqual([2, 0]);
    expect(logs.lines("bad")).toHaveLength(2);
    expect(logs.lines("good")).toHaveLength(0);
    expect(reports).toEqual(['handler of event "a": host\'s own']);
  });

  test("waiting ends when the version that handles the event goes", async () => {
    const { bus, scope } = make();
    const gone = scope("gone");
    bus.view(gone).on("a", () => new Promise<void>(() => undefined));
    const emitted = bus.view().emit("a", 0);
    await gone.end();
    gone.abandon();
    await emitted;
    expect(gone.lateErrors).toBe(0);
  });
});

describe("ownership", () => {
  test("subscriptions go when their scope ends, others stay", async () => {
    const { bus, scope } = make();
    const [a, b] = [scope("a"), scope("b")];
    bus.view(a).on("x", () => undefined);
    bus.view(a).once("y", () => undefined);
    bus.view(b).on("x", () => undefined);
    expect([a.handlers, bus.count(), bus.count("x")]).toEqual([2, 3, 2]);
    await a.end();
    expect([a.handlers, bus.count(), bus.count("x"), bus.count("y")]).toEqual([0, 1, 1, 0]);
  });

  test("unsubscribing twice takes one subscription away, and leaves nothing to dispose of", () => {
    const { bus, scope } = make();
    const a = scope("a");
    const handler = () => undefined;
    const off = bus.view(a).on("x", handler);
    bus.view(a).on("x", handler);
    off();
    off();
    expect([bus.count("x"), a.handlers, a.disposers]).toEqual([1, 1, 1]);
  });

  test("a subscription after the end is let go of at once, without an error", async () => {
    const { bus, logs, scope } = make();
    const a = scope("a");
    await a.end();
    const off = bus.view(a).on("x", () => undefined);
    off();
    await Bun.sleep(0);
    expect([bus.count(), a.handlers, a.lateErrors]).toEqual([0, 0, 0]);
    expect(logs.lines("a")).toEqual([]);
  });

  test("a version that is not swapped in hears only what it emits itself", async () => {
    const { bus, scope } = make();
    const fresh = scope("fresh");
    fresh.active = false;
    const seen: string[] = [];
    bus.view(fresh).on("x", (who) => void seen.push(who));
    await bus.view().emit("x", "host");
    await bus.view(fresh).emit("x", "itself");
    fresh.active = true;
    await bus.view().emit("x", "host again");
    expect(seen).toEqual(["itself", "host again"]);
  });
});

describe("during an exchange", () => {
  const exchange = () => {
    const made = make();
    const [old, fresh, other] = [made.scope("s"), made.scope("s"), made.scope("other")];
    fresh.active = false;
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    for (const [scope, label] of [
      [old, "old"],
      [fresh, "fresh"],
      [other, "other"],
    ] as const)
      made.bus.view(scope).on("x", (n) => void seen.push(`${label} ${n}`));
    made.bus.view(old).on("x", () => void seen.push("old, second handler"));
    old.paused = gate.promise;
    return { ...made, old, fresh, other, seen, gate };
  };

  test("events wait, and the new version handles each of them once", async () => {
    const { bus, old, fresh, seen, gate } = exchange();
    const emitted = [bus.view().emit("x", 1), bus.view().emit("x", 2)];
    await Bun.sleep(0);
    expect(seen).toEqual(["other 1", "other 2"]);
    old.active = false;
    fresh.active = true;
    old.paused = undefined;
    gate.resolve();
    await Promise.all(emitted);
    expect(seen).toEqual(["other 1", "other 2", "fresh 1", "fresh 2"]);
  });

  test("after a failed one the old version handles what waited", async () => {
    const { bus, old, seen, gate } = exchange();
    const emitted = bus.view().emit("x", 1);
    old.paused = undefined;
    gate.resolve();
    await emitted;
    expect(seen).toEqual(["other 1", "old 1", "old, second handler"]);
  });

  test("the service itself does not wait for its own exchange", async () => {
    const { bus, old, fresh, seen, gate } = exchange();
    await bus.view(fresh).emit("x", 1);
    expect(seen).toContain("fresh 1");
    expect(seen).not.toContain("old 1");
    old.paused = undefined;
    gate.resolve();
    await Bun.sleep(0);
    expect(seen.filter((line) => line.startsWith("old"))).toEqual(["old 1", "old, second handler"]);
  });
});

describe("tree events", () => {
  test("are stored first; subscribers and the emitter get the stored node", async () => {
    const { bus, scope } = make();
    const order: unknown[] = [];
    bus.setSink(async (data, from) => {
      await Bun.sleep(1);
      order.push("stored");
      return { ...data, id: 7, from };
    });
    bus.view().on(TREE_EVENT, (node) => void order.push(node));
    const node = { type: "t", id: 7, from: "a" };
    expect(await bus.view(scope("a")).emit(TREE_EVENT, { type: "t" })).toEqual(node);
    expect(order).toEqual(["stored", node]);
  });

  test("that cannot be stored reach nobody: emit rejects, fire is logged under its service", async () => {
    const { bus, scope, logs } = make();
    let seen = 0;
    bus.setSink(() => Promise.reject(new Error("disk full")));
    bus.view().on(TREE_EVENT, () => void seen++);
    const a = scope("a");
    expect(bus.view(a).emit(TREE_EVENT, {})).rejects.toThrow("disk full");
    bus.view(a).fire(TREE_EVENT, {});
    await Bun.sleep(0);
    expect([seen, a.lateErrors]).toEqual([0, 1]);
    expect(logs.lines("a")[0]?.text).toContain("disk full");
  });

  test("other events do not touch the sink; removing it does not remove a newer one", async () => {
    const { bus } = make();
    let stored = 0;
    const sink = async () => ++stored;
    const removeFirst = bus.setSink(sink);
    const removeSecond = bus.setSink(async () => {
      stored += 10;
      return stored;
    });
    removeFirst();
    await bus.view().emit("plain", 0);
    expect(stored).toBe(0);
    await bus.view().emit(TREE_EVENT, 0);
    expect(stored).toBe(10);
    removeSecond();
    expect(await bus.view().emit(TREE_EVENT, "unstored")).toBe("unstored");
  });
});

test("emit resolves whatever a handler throws", async () => {
  const { bus, scope } = make();
  const hostile = scope("hostile");
  const getPrototypeOf = () => {
    throw new Error("not telling");
  };
  const handler = () => {
    throw new Proxy(new Error("x"), { getPrototypeOf });
  };
  bus.subscribe("ping", handler, hostile);
  await bus.emit("ping", 0);
  expect(hostile.lateErrors).toBe(1);
});
