import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { eventually } from "../../../../tests/support/sandbox.js";
import {
  addEvents,
  failure,
  filter,
  followEvents,
  full,
  loading,
  loadOlder,
  next,
  reloadEvents,
  retry,
  rows,
  take,
} from "./events.js";
import type { FeedEvent } from "./live.js";

const id = (index: number) => String(index).padStart(8, "0");
const event = (index: number, content = "something"): FeedEvent => ({
  id: id(index),
  parentId: null,
  type: "note",
  source: "me",
  content,
  time: "2026-01-01T00:00:00Z",
});

const PAGE = 200;
const realFetch = globalThis.fetch;
let asked: URL[];
/** The server's reply to the next requests. */
let answer: (url: URL) => Response | Promise<Response>;

/** A server with events up to `latest`, in pages; cursors are the last index of a page. */
const history = (latest: number) => (url: URL) => {
  const from = Number(url.searchParams.get("cursor") ?? latest + 1) - 1;
  const events = Array.from({ length: Math.min(PAGE, from) }, (_, index) => event(from - index));
  const last = from - events.length + 1;
  return Response.json({ events, count: events.length, next: last > 1 ? String(last) : null });
};
const trouble = () => Response.json({ error: "in trouble" }, { status: 503 });

beforeEach(() => {
  asked = [];
  globalThis.fetch = Object.assign(
    async (path: string | URL | Request) => {
      const url = new URL(String(path), "http://reef.test");
      asked.push(url);
      return answer(url);
    },
    { preconnect: () => undefined },
  );
});
afterEach(() => {
  filter.value = { q: "", type: "", source: "" };
  globalThis.fetch = realFetch;
});

const ids = () => rows.value.map((row) => row.event.id);

describe("older events", () => {
  test("are asked for once when that fails, and again when somebody wants it", async () => {
    answer = history(500);
    await reloadEvents();
    answer = trouble;
    for (let times = 0; times < 10; times++) await loadOlder();
    expect(asked.length).toBe(2);
    expect(failure.value).toBeDefined();
    expect(rows.value.length).toBe(PAGE);
    answer = history(500);
    await retry();
    expect([asked.length, failure.value, rows.value.length]).toEqual([3, undefined, 2 * PAGE]);
    await loadOlder();
    expect([next.value, rows.value.length]).toEqual([null, 500]);
  });

  test("are not asked for any more when the page holds all it can", async () => {
    answer = history(30_000);
    await reloadEvents();
    for (let times = 0; times < 150; times++) await loadOlder();
    expect(asked.length).toBe(100);
    expect([rows.value.length, full.value]).toEqual([20_000, true]);
    // What comes now takes the place of the oldest, and makes no room for what is older still.
    take([event(30_001)]);
    await eventually(() => rows.value[0]?.event.id === id(30_001), "the new event");
    await loadOlder();
    expect(asked.length).toBe(100);
    await reloadEvents();
    expect(full.value).toBe(false);
  });
});

describe("the latest events", () => {
  test("fail with a reason, and come when they are asked for again", async () => {
    answer = trouble;
    await reloadEvents();
    expect(failure.value).toMatchObject({ message: "in trouble", status: 503 });
    answer = history(3);
    await retry();
    expect([failure.value, ids()]).toEqual([undefined, [id(3), id(2), id(1)]]);
  });

  test("give way to nothing when the server cannot say what passes another filter, and stay under their own", async () => {
    answer = history(3);
    await reloadEvents();
    answer = trouble;
    await reloadEvents();
    expect(ids()).toEqual([id(3), id(2), id(1)]);
    take([event(4, "something"), event(5, "wanted")]);
    filter.value = { q: "wanted", type: "", source: "" };
    await reloadEvents();
    expect([failure.value !== undefined, next.value, ids()]).toEqual([true, null, []]);
    take([event(6, "something"), event(7, "wanted")]);
    await eventually(() => ids().length > 0, "what comes now");
    expect(ids()).toEqual([id(7)]);
    answer = () => Response.json({ events: [event(7), event(5)], count: 2, next: null });
    await retry();
    expect([failure.value, ids()]).toEqual([undefined, [id(7), id(5)]]);
  });

  test("include those that came while they were loaded, and none that the filter keeps out", async () => {
    answer = history(1);
    await reloadEvents();
    const { promise, resolve } = Promise.withResolvers<Response>();
    take([event(2, "just before"), event(3, "wanted before")]);
    filter.value = { q: "wanted", type: "", source: "" };
    answer = () => promise;
    const loaded = reloadEvents();
    take([event(4, "wanted meanwhile"), event(5, "not so")]);
    expect(loading.value).toBe(true);
    resolve(Response.json({ events: [], count: 0, next: null }));
    await loaded;
    expect(ids()).toEqual([id(4), id(3)]);
  });
});

describe("a search for something rare", () => {
  test("goes on until it finds something or has been through everything", async () => {
    const portions: Record<string, unknown> = {
      latest: { events: [], count: 0, next: "9" },
      "9": { events: [], count: 0, next: "5" },
      "5": { events: [event(2, "wanted")], count: 1, next: "2" },
      "2": { events: [], count: 0, next: null },
    };
    answer = (url) => Response.json(portions[url.searchParams.get("cursor") ?? "latest"]);
    filter.value = { q: "wanted", type: "", source: "" };
    await reloadEvents();
    expect([ids(), next.value, asked.length]).toEqual([[id(2)], "2", 3]);
    portions["5"] = { events: [], count: 0, next: "2" };
    await reloadEvents();
    expect([ids(), next.value, loading.value]).toEqual([[], null, false]);
  });

  test("ends when it fails, goes on from there when it is told to, and gives way to another", async () => {
    filter.value = { q: "wanted", type: "", source: "" };
    answer = (url) =>
      url.searchParams.has("cursor") ? trouble() : Response.json({ events: [], count: 0, next: "9" });
    await reloadEvents();
    expect([asked.length, failure.value !== undefined, loading.value]).toEqual([2, true, false]);
    const { promise, resolve } = Promise.withResolvers<Response>();
    answer = () => promise;
    const searched = retry();
    expect(asked.at(-1)?.searchParams.get("cursor")).toBe("9");
    filter.value = { q: "other", type: "", source: "" };
    answer = () => Response.json({ events: [event(3, "other")], count: 1, next: "3" });
    await reloadEvents();
    resolve(Response.json({ events: [], count: 0, next: "5" }));
    await searched;
    expect([ids(), next.value, asked.length]).toEqual([[id(3)], "3", 4]);
  });
});

test("nothing more is asked for when the page is left", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  answer = () => promise;
  const leave = followEvents();
  const loaded = reloadEvents();
  leave();
  expect(loading.value).toBe(false);
  resolve(Response.json({ events: [], count: 0, next: "9" }));
  await loaded;
  expect(asked.length).toBe(1);
});

describe("events that were asked for one by one", () => {
  test("are in the list when they pass the filter", async () => {
    answer = () => Response.json({ events: [event(5, "wanted")], count: 1, next: null });
    filter.value = { q: "wanted", type: "", source: "" };
    await reloadEvents();
    addEvents([event(2, "wanted"), event(3, "not so")]);
    expect(ids()).toEqual([id(5), id(2)]);
  });

  test("stay when everything begins anew, until they are let go", async () => {
    answer = () => Response.json({ events: [event(5)], count: 1, next: "5" });
    const letGo = addEvents([event(2)]);
    await reloadEvents();
    await reloadEvents();
    expect(ids()).toEqual([id(5), id(2)]);
    letGo();
    await reloadEvents();
    expect(ids()).toEqual([id(5)]);
  });
});
