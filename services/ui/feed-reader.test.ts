import { describe, expect, test } from "bun:test";
import { type FeedHost, FeedReader, FrameBuffer, lastIdIn } from "./feed-reader.js";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("frames", () => {
  test("come whole, however the stream was cut", () => {
    const text = 'id: 1\ndata: {"a":"ä"}\n\n:\n\nid: 2\ndata: x\n\n';
    for (let size = 1; size < 12; size++) {
      const buffer = new FrameBuffer();
      const all = bytes(text);
      let out = "";
      for (let at = 0; at < all.length; at += size) {
        const got = buffer.add(all.subarray(at, at + size));
        if (got !== "") expect(got).toEndWith("\n\n");
        out += got;
      }
      expect(out).toBe(text);
    }
  });

  test.each([
    ["id: 7\ndata: x\n\n", "7"],
    ["data: x\n\nid: 8\n\n", "8"],
    ["id: 7\n\nid: 9\ndata: id: 3\n\n", "9"],
    ["data: id: 3\n\n:\n\n", undefined],
  ])("%j ends with the id %p", (frames, id) => {
    expect(lastIdIn(frames)).toBe(id);
  });
});

test("reading goes on where it was when the feed comes back, and stops when told", async () => {
  const asked: Array<string | null> = [];
  const streams = ["id: 1\ndata: a\n\n", "id: 2\ndata: b\n\n", "id: 3\ndata: c\n\n"];
  let loaded = true;
  const ended = new AbortController();
  const host = {
    getModule: () => (loaded ? {} : undefined),
    setTimeout: (fn: () => void) => {
      loaded = true;
      queueMicrotask(fn);
      return () => undefined;
    },
    dispatch: async (request: Request) => {
      asked.push(request.headers.get("last-event-id"));
      const text = streams.shift();
      if (text === undefined) return new Response(null, { status: 503 });
      if (streams.length === 1) loaded = false;
      return new Response(text);
    },
    log: { warn: () => undefined },
  } as unknown as FeedHost;
  const taken: string[] = [];
  const states: boolean[] = [];
  await new FeedReader(host, "0", ended.signal).run(
    async (frames) => {
      taken.push(frames);
      if (frames.includes("id: 3")) ended.abort();
    },
    (connected) => states.push(connected),
  );
  expect(asked).toEqual(["0", "1", "2"]);
  expect(taken.join("")).toBe("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n");
  expect(states).toEqual([true, false, true, false, true, false]);
});

test("waiting for a feed leaves nothing behind at the signal that ends it", async () => {
  const ended = new AbortController();
  let looks = 0;
  const host = {
    getModule: () => {
      if (++looks === 50) ended.abort();
    },
    setTimeout: (fn: () => void) => {
      queueMicrotask(fn);
      return () => undefined;
    },
  } as unknown as FeedHost;
  const most = { listening: 0 };
  const reader = new FeedReader(host, undefined, watched(ended.signal, most));
  await reader.run(
    async () => undefined,
    () => undefined,
  );
  expect(most.listening).toBe(1);
});

/** A signal whose listeners are counted; `most` gets the highest number that there was at once. */
function watched(signal: AbortSignal, most: { listening: number }): AbortSignal {
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  let listening = 0;
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    most.listening = Math.max(most.listening, ++listening);
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listening--;
    remove(...args);
  };
  return signal;
}
