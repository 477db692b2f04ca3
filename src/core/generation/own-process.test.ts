import { afterEach, describe, expect, test } from "bun:test";
import { type OwnProcess, ownProcess } from "./own-process.js";

const EVENT = "SIGUSR2";
const made: OwnProcess[] = [];
afterEach(() => {
  for (const own of made.splice(0)) own.release();
});
const make = () => {
  const calls: string[] = [];
  const own = ownProcess("s", "/data", (event, listener) => {
    calls.push(event);
    void listener();
  });
  made.push(own);
  return { own: own.process, release: own.release, calls };
};
const fire = () => process.emit(EVENT, EVENT);

describe("listeners", () => {
  test("are called with what the process sends, through the service's own context", () => {
    const { own, calls } = make();
    const seen: unknown[] = [];
    own.on(EVENT, (...args: unknown[]) => void seen.push(args));
    fire();
    expect(seen).toEqual([[EVENT]]);
    expect(calls).toEqual([EVENT]);
  });

  test.each(["once", "prependOnceListener"] as const)("%s is called once", (method) => {
    const { own } = make();
    let n = 0;
    own[method](EVENT, () => void n++);
    fire();
    fire();
    expect(n).toBe(1);
  });

  test.each(["off", "removeListener"] as const)("%s takes back the latest of the same function", (method) => {
    const { own } = make();
    let n = 0;
    const listener = () => void n++;
    own.on(EVENT, listener);
    own.once(EVENT, listener);
    own[method](EVENT, listener);
    own[method](EVENT, () => undefined);
    fire();
    fire();
    expect(n).toBe(2);
  });

  test("removeAllListeners takes back its own alone, of one event or of all", () => {
    const { own } = make();
    const host = () => undefined;
    process.on(EVENT, host);
    const before = process.listenerCount(EVENT);
    own.on(EVENT, () => undefined);
    own.on("SIGHUP", () => undefined);
    own.removeAllListeners("SIGHUP");
    expect([process.listenerCount(EVENT), process.listenerCount("SIGHUP")]).toEqual([before + 1, 0]);
    own.removeAllListeners();
    expect(process.listenerCount(EVENT)).toBe(before);
    process.off(EVENT, host);
  });

  test("of several services do not see each other", () => {
    const [a, b] = [make(), make()];
    let n = 0;
    a.own.on(EVENT, () => void n++);
    b.own.removeAllListeners();
    b.release();
    fire();
    expect(n).toBe(1);
  });

  test("chain", () => {
    const { own } = make();
    const listener = () => undefined;
    expect(own.on(EVENT, listener).off(EVENT, listener).removeAllListeners()).toBe(own);
  });
});

test.each(["exit", "reallyExit", "abort", "chdir"])("%s is refused by name", (method) => {
  const members = make().own as unknown as Record<string, () => void>;
  expect(() => members[method]?.()).toThrow(`process.${method}() is not available to service "s"`);
});

test("env is a copy that names the server's data folder", () => {
  const { own } = make();
  expect(own.env).toEqual({ ...process.env, REEF_DATA_DIR: "/data" });
  own.env.ONLY_HERE = "2";
  expect(process.env.ONLY_HERE).toBeUndefined();
});

test("env is as it was when the service was loaded, whenever it is first asked for", async () => {
  const { own } = make();
  await Promise.resolve();
  process.env.SINCE_THEN = "1";
  try {
    expect(own.env.SINCE_THEN).toBeUndefined();
    expect(make().own.env.SINCE_THEN).toBe("1");
  } finally {
    delete process.env.SINCE_THEN;
  }
});

test("env can be replaced, for this service alone", () => {
  const { own } = make();
  own.env = { A: "1" };
  expect(own.env).toEqual({ A: "1" });
  expect(process.env.A).toBeUndefined();
});

test("what is asked of the process otherwise is the server's", () => {
  const { own } = make();
  expect([own.pid, own.version, own instanceof process.constructor]).toEqual([
    process.pid,
    process.version,
    true,
  ]);
});

test("there is no channel to the process that started the server", () => {
  const { own } = make();
  expect([own.send, own.disconnect, own.channel, own.connected]).toEqual([
    undefined,
    undefined,
    undefined,
    false,
  ]);
});
