import { afterEach, describe, expect, test } from "bun:test";
import {
  Client,
  cleanUp,
  connected,
  contents,
  event,
  eventually,
  later,
  numbers,
  publish,
  room,
} from "../../../tests/support/event-room.js";
import { StreamWatch } from "../streams.js";
import type { EventListener } from "../tree.js";
import { EventHub } from "./hub.js";

afterEach(cleanUp);

describe("a stream", () => {
  test("carries each event with its id, its place in the tree and its further fields", async () => {
    const { tree, url } = room();
    const parent = await tree.append(event("parent"));
    const client = await connected(url);
    const node = await tree.append({ ...event("child\nof two lines"), parentId: parent.id, task: { n: 1 } });
    await client.until(({ events }) => events.length > 0);
    const block = client.blocks.at(-1);
    expect(block?.id).toBe(node.id);
    expect(block?.event).toBeUndefined();
    expect(block?.data).toEqual({
      id: node.id,
      nodeId: node.id,
      parentId: parent.id,
      type: "note",
      source: "test",
      content: "child\nof two lines",
      time: node.time,
      task: { n: 1 },
    });
  });

  test("has the headers that keep proxies from holding it back", async () => {
    const { url } = room();
    const response = await fetch(url);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("cache-control")).toContain("no-cache");
    await response.body?.cancel();
  });

  test("can be filtered, and still learns how far the log has come", async () => {
    const { tree, hub, url } = room();
    const client = await connected(`${url}?type=a&type=b`);
    await publish(tree, ["1"], "a");
    await publish(tree, ["2"], "c");
    const [last] = await publish(tree, ["3"], "b");
    const [unseen] = await publish(tree, ["4"], "c");
    await client.until(({ events }) => events.at(-1)?.id === last?.id);
    hub.beat();
    await client.until(({ lastId }) => lastId === unseen?.id);
    expect(contents(client)).toEqual(["1", "3"]);
  });

  test("is serialised once for all clients, whatever their filters", async () => {
    const { tree, hub } = room();
    const listeners: EventListener[] = [];
    const log = Object.create(tree, {
      subscribe: {
        value: (listener: EventListener) => {
          listeners.push(listener);
          return () => undefined;
        },
      },
      latest: { value: () => "" },
      after: { value: async () => [] },
    });
    const counted = new EventHub({ log });
    later(() => counted.close());
    const filters = [undefined, { types: ["note"] }, { sources: ["test"] }];
    const readers = [];
    for (let i = 0; i < 12; i++) {
      const filter = filters[i % filters.length];
      const response = await counted.connect(new Request("http://reef/"), { filter });
      readers.push(response.body?.getReader());
    }
    for (const reader of readers) await reader?.read();
    const node = await tree.append(event("x"));
    let serialised = 0;
    const watched = Object.create(node, {
      content: {
        get() {
          serialised++;
          return "x";
        },
      },
    });
    for (const listener of listeners) listener([watched]);
    for (const reader of readers) {
      const { value } = (await reader?.read()) ?? {};
      expect(new TextDecoder().decode(value)).toContain(node.id);
    }
    expect(serialised).toBe(1);
    expect(hub.stats().clients).toBe(0);
  });

  test("stays open while the server's idle timeout cuts other quiet connections", async () => {
    const { tree, hub, url } = room();
    const client = await connected(url);
    const cut = fetch(`${url}quiet`).then((response) => response.text());
    expect(cut).rejects.toThrow();
    await cut.catch(() => undefined);
    expect(client.ended).toBe(false);
    hub.beat();
    await client.until(({ blocks }) => blocks.some(({ comment }) => comment));
    await publish(tree, ["still here"]);
    await client.until(({ events }) => events.length === 1);
  });

  test("works without a server, read inside the process", async () => {
    const { tree, hub } = room();
    const response = await hub.connect(new Request("http://reef/stream"));
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    let text = decoder.decode((await reader?.read())?.value);
    await publish(tree, ["inside"]);
    while (!text.includes("inside")) text += decoder.decode((await reader?.read())?.value);
    expect(hub.stats().clients).toBe(1);
    await reader?.cancel();
    await eventually(() => hub.stats().clients === 0);
  });

  test("loses nothing that is published between the reply and the first read", async () => {
    const { tree, hub } = room();
    await publish(tree, ["before"]);
    const response = await hub.connect(new Request("http://reef/stream"));
    await publish(tree, ["between"]);
    const reader = response.body?.getReader();
    let text = "";
    while (!text.includes("between")) text += new TextDecoder().decode((await reader?.read())?.value);
    expect(text).not.toContain("before");
    await reader?.cancel();
  });
});

describe("leaving and coming back", () => {
  test("a client that leaves is noticed", async () => {
    const { hub, url } = room();
    const client = await connected(url);
    expect(hub.stats()).toMatchObject({ clients: 1, connected: 1 });
    client.stop();
    await eventually(() => hub.stats().clients === 0);
    expect(hub.stats().disconnected).toBe(1);
  });

  test("10,000 events reach clients that drop and reconnect 200 times, each once and in order", async () => {
    const { tree, url } = room({ recentSize: 20_000 });
    const total = 10_000;
    const expected = numbers(0, total);
    let published = 0;
    const publishing = (async () => {
      while (published < total) {
        const portion = 1 + ((published * 7) % 40);
        const names = expected.slice(published, published + portion);
        await publish(tree, names);
        published += names.length;
        if (published % 3 === 0) await Bun.sleep(0);
      }
    })();
    let reconnects = 0;
    const start = tree.latest();
    const readers = Array.from({ length: 10 }, async (_, which) => {
      const seen: string[] = [];
      let lastId = start || undefined;
      for (let turn = 0; turn <= 20; turn++) {
        const goal = turn === 20 ? total : Math.floor(((turn + (which + 1) / 12) * total) / 21);
        const client = new Client(lastId ? url : `${url}?since=1970-01-01`, lastId);
        await client.until(({ events }) => seen.length + events.length >= goal);
        client.stop();
        seen.push(...contents(client));
        expect(client.resets).toEqual([]);
        lastId = client.lastId;
        if (turn > 0) reconnects++;
      }
      return seen;
    });
    const results = await Promise.all(readers);
    await publishing;
    expect(reconnects).toBe(200);
    for (const seen of results) expect(seen).toEqual(expected);
  });

  test.each(["id", "time"])("`since` as an %s begins there", async (kind) => {
    const { tree, url } = room();
    const [first, second] = await publish(tree, ["1", "2"]);
    await Bun.sleep(2);
    await publish(tree, ["3"]);
    const after = kind === "id" ? second?.id : new Date(Date.parse(first?.time ?? "") + 1).toISOString();
    const client = await connected(`${url}?since=${after}`);
    await client.until(({ events }) => events.length > 0);
    expect(contents(client)).toEqual(["3"]);
  });

  test("Last-Event-ID goes before `since`", async () => {
    const { tree, url } = room();
    const [, second] = await publish(tree, ["1", "2", "3"]);
    const client = await connected(`${url}?since=1970-01-01`, second?.id);
    await client.until(({ events }) => events.length > 0);
    expect(contents(client)).toEqual(["3"]);
  });

  test("a place that was pruned gives one reset, then what comes next, also after one more reconnect", async () => {
    const { tree, url } = room();
    const nodes = await publish(tree, numbers(0, 20));
    tree.setRetention({ maxEvents: 5 });
    await tree.prune();
    const client = await connected(url, nodes[3]?.id);
    await client.until(({ resets }) => resets.length > 0);
    expect(client.resets[0]?.data).toMatchObject({ type: "reset", reason: "pruned", latest: nodes[19]?.id });
    await publish(tree, ["next"]);
    await client.until(({ events }) => events.length > 0);
    client.stop();
    const again = await connected(url, client.resets[0]?.id);
    await again.until(({ events }) => events.length > 0);
    expect([client.resets.length, contents(client)]).toEqual([1, ["next"]]);
    expect([again.resets.length, contents(again)]).toEqual([0, ["next"]]);
  });

  test.each(["ffffffff-ffff-7fff-bfff-ffffffffffff", "12345", "../../etc", "'"])(
    "the unknown place %j gives one reset",
    async (place) => {
      const { tree, url } = room();
      await publish(tree, ["1"]);
      const client = await connected(url, place);
      await publish(tree, ["2"]);
      await client.until(({ events }) => events.length > 0);
      expect(client.resets.map(({ data }) => data?.reason)).toEqual(["unknown"]);
      expect(contents(client)).toEqual(["2"]);
    },
  );

  test("a filtered client catches up with what passes its filter only", async () => {
    const { tree, url } = room();
    const [start] = await publish(tree, ["0"], "a");
    for (let i = 1; i < 1200; i++) tree.append(event(String(i), i % 100 ? "noise" : "a"));
    await publish(tree, ["last"], "a");
    const client = await connected(`${url}?type=a`, start?.id);
    await client.until(({ events }) => events.at(-1)?.content === "last");
    expect(contents(client)).toEqual([
      "100",
      "200",
      "300",
      "400",
      "500",
      "600",
      "700",
      "800",
      "900",
      "1000",
      "1100",
      "last",
    ]);
  });
});

describe("limits and shutdown", () => {
  test("one client too many is told to come back", async () => {
    const { url } = room({ maxClients: 1 });
    await connected(url);
    const response = await fetch(url);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await response.json()).toEqual({ error: "too many event streams are open" });
  });

  describe("a place is taken", () => {
    const ask = (hub: EventHub, since?: string) => hub.connect(new Request("http://reef/"), { since });
    const accepts = async (hub: EventHub) => {
      const response = await ask(hub);
      await response.body?.cancel();
      return response.status === 200;
    };

    test.each([undefined, "2026-01-01"])("by those whose stream has not begun, since %p", async (since) => {
      const { hub } = room({ maxClients: 2 });
      const replies = await Promise.all(Array.from({ length: 5 }, () => ask(hub, since)));
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 503, 503, 503]);
      const reader = replies[0]?.body?.getReader();
      await reader?.read();
      expect([await accepts(hub), hub.stats().clients]).toEqual([false, 1]);
      await reader?.cancel();
      expect(await accepts(hub)).toBe(true);
      await replies[1]?.body?.cancel();
      expect([await ask(hub), await ask(hub)].map(({ status }) => status)).toEqual([200, 200]);
    });

    test("not by who was refused", async () => {
      const { hub } = room({ maxClients: 1 });
      await expect(ask(hub, "rubbish")).rejects.toThrow("since");
      expect(await accepts(hub)).toBe(true);
    });

    test("no longer by who takes nothing for too long", async () => {
      const { hub } = room({ maxClients: 1, maxStallMs: 0 });
      const unread = await ask(hub);
      expect(await accepts(hub)).toBe(false);
      hub.beat();
      expect(await accepts(hub)).toBe(true);
      expect(await unread.text()).toBe("");
    });
  });

  test("a service that is exchanged ends its own streams at once, begun or not", async () => {
    const { hub } = room();
    const request = new Request("http://reef/");
    const watch = new StreamWatch();
    const [read, unread] = [await hub.connect(request), await hub.connect(request)];
    const other = await hub.connect(request);
    for (const response of [read, unread]) watch.note(response, request, undefined);
    const text = read.text();
    const stays = other.body?.getReader();
    await stays?.read();
    watch.stop((stop) => stop());
    expect(await text).toContain("retry:");
    expect(await unread.text()).toBe("");
    await Promise.resolve();
    expect([watch.size, hub.stats().clients]).toEqual([0, 1]);
    await stays?.cancel();
  });

  test("closing ends every stream cleanly and lets the server stop", async () => {
    const { hub, server, url } = room();
    const clients = await Promise.all([connected(url), connected(url)]);
    hub.close();
    for (const client of clients) await client.until(({ ended }) => ended);
    await server.stop();
    expect((await hub.connect(new Request("http://reef/"))).status).toBe(503);
    expect(hub.stats().clients).toBe(0);
  });
});
