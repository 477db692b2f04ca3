import { afterEach, describe, expect, test } from "bun:test";
import { Air, type Channel, Locks, NEVER, OpenTab, Server, TIMES } from "../../../tests/support/open-tabs.js";
import { eventually } from "../../../tests/support/sandbox.js";
import type { ServerSentEvent } from "../server-sent-events.js";
import { type Place, share, type Tab } from "./tabs.js";

const open = new Set<OpenTab>();
afterEach(async () => {
  for (const tab of open) await tab.close();
  open.clear();
});

function world(times = TIMES) {
  const server = new Server();
  const locks = new Locks();
  const air = new Air();
  const tab = () => {
    const made = new OpenTab(server, locks, air, times);
    open.add(made);
    return made;
  };
  const close = (tab: OpenTab) => {
    open.delete(tab);
    return tab.close();
  };
  const live = (...tabs: OpenTab[]) =>
    eventually(() => tabs.every(({ state }) => state === "live"), "all tabs to be connected");
  return { server, air, tab, close, live };
}

/** Waits until each has seen this, in this order, and nothing twice. */
async function haveSeen(tabs: OpenTab[], ids: string[]): Promise<void> {
  await eventually(() => tabs.every(({ seen }) => seen.length >= ids.length), "all events in all tabs");
  for (const { seen, resets } of tabs) expect([seen, resets]).toEqual([ids, 0]);
}

describe("tabs that share a connection", () => {
  test("have one, and each sees every event once", async () => {
    const { server, tab, live } = world(NEVER);
    const tabs = [tab(), tab(), tab(), tab()];
    await live(...tabs);
    expect(server.streams).toBe(1);
    await haveSeen(tabs, [server.publish(), server.publish(), server.publish()]);
    expect(server.streams).toBe(1);
  });

  test("go on without a gap when the one that has it closes, whatever is said meanwhile", async () => {
    const { server, tab, close, live } = world(NEVER);
    const tabs = [tab(), tab(), tab(), tab(), tab(), tab()];
    await live(...tabs);
    const ids: string[] = [];
    while (tabs.length > 1) {
      for (let count = 0; count < 5; count++) ids.push(server.publish());
      const [leader] = tabs.splice(0, 1) as [OpenTab];
      const closed = close(leader);
      for (let count = 0; count < 5; count++) ids.push(server.publish());
      await closed;
      ids.push(server.publish());
      await haveSeen(tabs, ids);
      expect(server.streams).toBe(1);
    }
  });

  test("are joined by others, which see what comes from then on", async () => {
    const { server, tab, live } = world(NEVER);
    const first = tab();
    await live(first);
    const before = server.publish();
    await haveSeen([first], [before]);
    const second = tab();
    await live(second);
    const after = server.publish();
    await haveSeen([second], [after]);
    await haveSeen([first], [before, after]);
  });

  test("hear that the connection is lost, and all catch up when it is back", async () => {
    const { server, tab, live } = world(NEVER);
    const tabs = [tab(), tab(), tab()];
    await live(...tabs);
    const ids = [server.publish()];
    server.stop();
    await eventually(() => tabs.every(({ state }) => state === "lost"), "all tabs to know");
    ids.push(server.publish(), server.publish());
    server.up = true;
    await live(...tabs);
    await haveSeen(tabs, ids);
  });

  test("are followed by the next when the one that has it closes while the server is away", async () => {
    const { server, tab, close, live } = world(NEVER);
    const [leader, ...others] = [tab(), tab(), tab()] as [OpenTab, OpenTab, OpenTab];
    await live(leader, ...others);
    server.stop();
    await eventually(() => others.every(({ state }) => state === "lost"), "the others to know");
    await close(leader);
    const ids = [server.publish()];
    server.up = true;
    await live(...others);
    await haveSeen(others, ids);
  });

  test("take it from one that the browser has frozen", async () => {
    const { server, tab, live } = world();
    const [leader, ...others] = [tab(), tab(), tab()] as [OpenTab, OpenTab, OpenTab];
    await live(leader, ...others);
    leader.freeze();
    const ids = [server.publish(), server.publish()];
    await haveSeen(others, ids);
    ids.push(server.publish());
    await haveSeen(others, ids);
  });

  test("do not take it from one that answers", async () => {
    const { server, air, tab, live } = world({ beat: 3_600_000, silence: 20, answer: 5000 });
    const tabs = [tab(), tab(), tab()];
    await live(...tabs);
    const joined = tabs.map(({ joined }) => joined);
    const before = air.asked;
    await eventually(() => air.asked > before + 6, "the others to have asked several times");
    expect(server.streams).toBe(1);
    expect(tabs.map(({ joined }) => joined)).toEqual(joined);
  });

  test("see everything once while tabs open and close in any order", async () => {
    const { server, tab, close, live } = world(NEVER);
    const stays = tab();
    await live(stays);
    const others: OpenTab[] = [];
    const ids: string[] = [];
    for (let step = 0; step < 150; step++) {
      const dice = Math.random();
      if (dice < 0.6) ids.push(server.publish());
      else if (dice < 0.75) others.push(tab());
      else if (dice < 0.9) others.splice(Math.floor(Math.random() * others.length), 1).map(close);
      else await Bun.sleep(Math.random() * 8);
    }
    ids.push(server.publish());
    await haveSeen([stays], ids);
    await live(...others);
    for (const { seen, resets } of others) {
      // Each from its own beginning on.
      await eventually(() => ids.length === 0 || seen.length === 0 || seen.at(-1) === ids.at(-1), "the end");
      expect([seen, resets]).toEqual([ids.slice(ids.length - seen.length), 0]);
    }
  });
});

test("nobody shares where the lock is refused, and the one who asked is told", async () => {
  const refused = { request: () => Promise.reject(new DOMException("no storage", "SecurityError")) };
  const tab = { last: () => "", isOver: () => false } as Tab;
  const shared = share(tab, new AbortController().signal, { locks: refused, channel: new Air().open() });
  await expect(shared).rejects.toThrow("no storage");
});

describe("a tab that follows", () => {
  /** One that hears what a test says, and never gets the lock. */
  function follower() {
    const asks: string[] = [];
    const heard: string[] = [];
    const channel: Channel = {
      onmessage: null,
      close: () => undefined,
      postMessage: ({ ask }: { ask: string }) => void asks.push(ask),
    };
    const tab = {
      last: () => "",
      isOver: () => false,
      join: ({ boot }: Place) => void heard.push(`joined ${boot}`),
      take: (group: ServerSentEvent[]) => void heard.push(...group.map(({ data }) => data)),
      lost: () => void heard.push("lost"),
    } as unknown as Tab;
    void share(
      tab,
      new AbortController().signal,
      { locks: { request: () => Promise.withResolvers().promise }, channel },
      NEVER,
    );
    const say = (data: object) => void channel.onmessage?.({ data } as never);
    return {
      heard,
      asked: () => asks.at(-1),
      sends: (by: string, data: string) => say({ by, group: [{ id: undefined, event: "", data }] }),
      answers: (by: string, to: string | undefined) =>
        say({ by, to, place: { boot: by, feed: true, last: "", missed: [] } }),
      beats: (by: string) => say({ by }),
      loses: (by: string) => say({ by, lost: 1 }),
    };
  }

  test("does not take the late answer of one that leads no more", () => {
    const { heard, asked, sends, answers } = follower();
    sends("second", "unheard");
    const toSecond = asked();
    sends("third", "unheard");
    answers("third", asked());
    answers("second", toSecond);
    sends("third", "heard");
    expect(heard).toEqual(["joined third", "heard"]);
  });

  test.each([["beats"], ["loses"]] as const)("asks again when the one that it has asked only %s", (says) => {
    const leader = follower();
    leader.sends("first", "unheard");
    const before = leader.asked();
    leader.sends("first", "unheard");
    expect(leader.asked()).toBe(before);
    leader[says]("first");
    leader.sends("first", "unheard");
    expect(leader.asked()).not.toBe(before);
    leader.answers("first", leader.asked());
    leader.answers("first", leader.asked());
    leader.sends("first", "heard");
    expect(leader.heard.filter((text) => text !== "lost")).toEqual(["joined first", "heard"]);
  });
});
