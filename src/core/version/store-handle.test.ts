import { expect, test } from "bun:test";
import { LogBook } from "../log.js";
import { type FlushWindow, Scope } from "../scope.js";
import type { ContextHost, Peer } from "./context.js";
import { storesOf } from "./store-handle.js";

class Counter {
  n = 0;
  add() {
    return ++this.n;
  }
  async addLater() {
    return ++this.n;
  }
}

function make() {
  const scope = new Scope("counter", new LogBook(() => undefined).logger("counter"));
  const peer = { module: { name: "counter", store: new Counter() }, scope, reloadable: true } as Peer;
  const host = { peer: () => peer } as unknown as ContextHost;
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const begin = (refusesCalls = false): FlushWindow => {
    scope.paused = over;
    scope.flushWindow = { wasCalled: false, refusesCalls };
    return scope.flushWindow;
  };
  const end = () => {
    scope.paused = undefined;
    scope.flushWindow = undefined;
    resolve();
  };
  const get = storesOf(host);
  return { peer, get, handle: get("counter") as Counter, begin, end };
}

test("a handle is the same each time, and shows what the store of the moment has", () => {
  const { peer, get, handle } = make();
  expect(get("counter")).toBe(handle);
  expect([Object.keys(handle), JSON.stringify(handle), { ...handle }]).toEqual([["n"], '{"n":0}', { n: 0 }]);
  expect(handle).toBeInstanceOf(Counter);
  peer.module = { name: "counter", store: Object.freeze({ other: 1 }) } as unknown as Peer["module"];
  expect([get("counter") as unknown, Object.keys(handle)]).toEqual([handle, ["other"]]);
  peer.module = { name: "counter" };
  expect(get("counter")).toBeUndefined();
});

test("what is set and deleted is so in the store", () => {
  const { peer, handle } = make();
  const own = handle as Partial<Counter> & { extra?: number };
  own.extra = 1;
  expect("extra" in (peer.module.store as object)).toBe(true);
  delete own.extra;
  expect("extra" in (peer.module.store as object)).toBe(false);
  peer.module = { name: "counter", store: Object.freeze({ n: 1 }) } as unknown as Peer["module"];
  expect(() => delete own.n).toThrow(TypeError);
});

test("asynchronous methods wait until the store was handed over, and then act on the new one", async () => {
  const { peer, handle, begin, end } = make();
  const flushWindow = begin(true);
  const adding = handle.addLater();
  const old = peer.module.store as unknown as Counter;
  await Bun.sleep(1);
  const fresh = new Counter();
  peer.module = { ...peer.module, store: fresh } as unknown as Peer["module"];
  end();
  expect([await adding, old.n, fresh.n, flushWindow.wasCalled]).toEqual([1, 0, 1, false]);
});

test("others are noted, and refused the last time: what they change would be lost", () => {
  const { handle, begin, end } = make();
  const flushWindow = begin();
  expect([handle.add(), flushWindow.wasCalled]).toEqual([1, true]);
  begin(true);
  expect(() => handle.add()).toThrow("being reloaded");
  expect(handle.n).toBe(1);
  end();
  expect(handle.add()).toBe(2);
});
