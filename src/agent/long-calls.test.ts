import { afterEach, beforeEach, expect, test } from "bun:test";
import { eventually, Sandbox } from "../../tests/support/sandbox.js";
import { KEPT_JOBS } from "../core/kept-jobs.js";
import { LogBook } from "../core/log.js";
import { Scope } from "../core/scope.js";
import { type LongCall, LongCalls } from "./long-calls.js";

/** As long as a call that is to be answered first may take. */
const SOON_MS = 20;
const NEVER_MS = 60_000;

let sandbox: Sandbox;
let scope: Scope;
beforeEach(() => {
  sandbox = new Sandbox();
  scope = new Scope("agent", new LogBook(() => undefined).logger("agent"));
});
afterEach(async () => {
  await scope.end();
  sandbox.remove();
});

function answeringAfter<T>(ms: number): LongCalls<T> {
  const onDispose = (fn: () => void | Promise<void>) => void scope.own(fn);
  return new LongCalls({ dataDir: sandbox.dataDir, log: scope.log, name: "agent", onDispose }, ms);
}

async function unfinished<T>(result: Promise<{ result: T } | LongCall<T>>): Promise<LongCall<T>> {
  const value = await result;
  expect(value).toMatchObject({ status: "running" });
  return value as LongCall<T>;
}

test("what ends in time is answered with its result", async () => {
  const calls = answeringAfter<string>(NEVER_MS);
  expect(await calls.begin("work", async () => "done")).toEqual({ result: "done" });
});

test("what takes longer is answered before it ends, and has its result later, as often as it is asked for", async () => {
  const calls = answeringAfter<string>(SOON_MS);
  const { promise, resolve } = Promise.withResolvers<string>();
  const begun = await unfinished(calls.begin("work", () => promise));
  const { id } = begun;
  expect(begun.name).toBe("work");
  expect(await calls.wait(id)).toEqual(begun);
  const waiting = calls.wait(id);
  resolve("done");
  const ended = { ...begun, status: "done", result: "done" } as const;
  expect(await waiting).toMatchObject(ended);
  expect(await calls.wait(id)).toMatchObject(ended);
  expect(await calls.wait("other")).toBeUndefined();
});

test("a call goes on when the service that it was made through goes", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { id } = await unfinished(answeringAfter<string>(SOON_MS).begin("work", () => promise));
  await scope.end();
  const waiting = answeringAfter<string>(NEVER_MS).wait(id);
  resolve("done");
  expect(await waiting).toMatchObject({ status: "done", result: "done" });
});

test("who goes ends a call that is waited for; one that was answered goes on", async () => {
  const signals: AbortSignal[] = [];
  const hang = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<string>((resolve) => signal.addEventListener("abort", () => resolve("ended")));
  };
  const client = new AbortController();
  const waited = answeringAfter<string>(NEVER_MS).begin("work", hang, client.signal);
  client.abort();
  expect(await waited).toEqual({ result: "ended" });

  const later = new AbortController();
  await unfinished(answeringAfter<string>(SOON_MS).begin("work", hang, later.signal));
  later.abort();
  expect(signals.at(-1)?.aborted).toBe(false);
});

test("the latest that have ended are kept, and all that run", async () => {
  const calls = answeringAfter<number>(1);
  const { promise: hanging } = Promise.withResolvers<number>();
  const first = await unfinished(calls.begin("hangs", () => hanging));
  const ids: string[] = [];
  for (let i = 0; i <= KEPT_JOBS; i++) {
    const { promise, resolve } = Promise.withResolvers<number>();
    const { id } = await unfinished(calls.begin("work", () => promise));
    ids.push(id);
    resolve(i);
    await eventually(async () => (await calls.wait(id))?.status === "done", "its end");
  }
  expect(await calls.wait(ids[0] ?? "")).toBeUndefined();
  expect(await calls.wait(ids[1] ?? "")).toMatchObject({ result: 1 });
  expect(await calls.wait(first.id)).toMatchObject({ status: "running" });
});
