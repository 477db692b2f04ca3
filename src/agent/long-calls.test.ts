import { expect, test } from "bun:test";
import { LongCalls, Unfinished } from "./long-calls.js";

/** As long as a call that is to be answered first may take. */
const SOON_MS = 20;
const NEVER_MS = 60_000;

async function unfinished(result: Promise<unknown>): Promise<Unfinished> {
  const value = await result;
  expect(value).toBeInstanceOf(Unfinished);
  return value as Unfinished;
}

test("what ends in time is answered with its result", async () => {
  const calls = new LongCalls<string>(NEVER_MS);
  expect(await calls.begin("work", async () => "done")).toBe("done");
});

test("what takes longer is answered before it ends, and has its result later, as often as it is asked for", async () => {
  const calls = new LongCalls<string>(SOON_MS);
  const { promise, resolve } = Promise.withResolvers<string>();
  const { id, name } = await unfinished(calls.begin("work", () => promise));
  expect(name).toBe("work");
  expect(await unfinished(calls.wait(id))).toEqual(new Unfinished(id, "work"));
  const waiting = calls.wait(id);
  resolve("done");
  expect(await waiting).toBe("done");
  expect(await calls.wait(id)).toBe("done");
  expect(await calls.wait("other")).toBeUndefined();
});

test("who goes ends a call that is waited for; one that was answered goes on", async () => {
  const signals: AbortSignal[] = [];
  const hang = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<string>((resolve) => signal.addEventListener("abort", () => resolve("ended")));
  };
  const client = new AbortController();
  const waited = new LongCalls<string>(NEVER_MS).begin("work", hang, client.signal);
  client.abort();
  expect(await waited).toBe("ended");

  const later = new AbortController();
  await unfinished(new LongCalls<string>(SOON_MS).begin("work", hang, later.signal));
  later.abort();
  expect(signals.at(-1)?.aborted).toBe(false);
});

test("the latest fifty that have ended are kept, and all that run", async () => {
  const calls = new LongCalls<number>(1);
  const { promise: hanging } = Promise.withResolvers<number>();
  const first = await unfinished(calls.begin("hangs", () => hanging));
  const ids: string[] = [];
  for (let i = 0; i < 51; i++) {
    const { promise, resolve } = Promise.withResolvers<number>();
    ids.push((await unfinished(calls.begin("work", () => promise))).id);
    resolve(i);
    await promise;
  }
  await Bun.sleep(0);
  expect(await calls.wait(ids[0] ?? "")).toBeUndefined();
  expect(await calls.wait(ids[1] ?? "")).toBe(1);
  expect(await calls.wait(first.id)).toBeInstanceOf(Unfinished);
});
