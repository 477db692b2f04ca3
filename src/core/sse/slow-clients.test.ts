import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "bun";
import {
  cleanUp,
  connected,
  event,
  eventually,
  later,
  publish,
  room,
} from "../../../tests/support/event-room.js";

afterEach(cleanUp);

describe("a client that does not read", () => {
  /** A client that stops reading after the first bytes, until `resume` is called. */
  async function silent(port: number) {
    const opened = Promise.withResolvers<void>();
    const decoder = new TextDecoder();
    const client = { text: "", resume: () => void socket.resume() };
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data(self, bytes) {
          if (client.text === "") self.pause();
          client.text += decoder.decode(bytes, { stream: true }).replaceAll("x", "");
          opened.resolve();
        },
        error: () => undefined,
      },
    });
    socket.write("GET / HTTP/1.1\r\nHost: reef\r\n\r\n");
    await opened.promise;
    later(() => socket.terminate());
    return client;
  }

  const big = "x".repeat(60_000);

  test("is cut off once it is too far behind, with the reason counted; others get everything", async () => {
    const { tree, hub, server, url } = room({ maxLagBytes: 500_000 });
    await silent(server.port ?? 0);
    const reader = await connected(url);
    let sent = 0;
    while (hub.stats().dropped.lagging === 0) {
      await Promise.all(Array.from({ length: 10 }, () => tree.append(event(big))));
      sent += 10;
      await reader.until(({ events }) => events.length === sent);
    }
    expect(hub.stats()).toMatchObject({ clients: 1, dropped: { lagging: 1, stalled: 0 } });
    expect(new Set(reader.events.map(({ id }) => id)).size).toBe(sent);
  });

  test("is cut off when it takes nothing for too long", async () => {
    const { tree, hub, server } = room({ maxStallMs: 0, maxLagBytes: Number.POSITIVE_INFINITY });
    await silent(server.port ?? 0);
    for (let i = 0; i < 400; i++) {
      await tree.append(event(big));
      hub.beat();
      if (hub.stats().dropped.stalled) break;
    }
    expect(hub.stats()).toMatchObject({ clients: 0, dropped: { lagging: 0, stalled: 1 } });
  });

  test("and then reads again gets what it missed, in order, without a second connection", async () => {
    const { tree, hub, server } = room({ maxLagBytes: Number.POSITIVE_INFINITY, recentSize: 1_000_000 });
    const client = await silent(server.port ?? 0);
    const count = 300;
    for (let i = 0; i < count; i++) await tree.append(event(`${i}-${big}`));
    const before = hub.stats().delivered;
    expect(before).toBeLessThan(count);
    client.resume();
    await tree.append(event("last"));
    await eventually(() => client.text.includes('"last"'));
    const seen = [...client.text.matchAll(/"content":"(\d+)-"/g)].map((match) => Number(match[1]));
    expect(seen).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(hub.stats().connected).toBe(1);
  });

  test("and whose place is pruned meanwhile gets one reset when it reads again, then goes on", async () => {
    const { tree, hub, server } = room({ maxLagBytes: Number.POSITIVE_INFINITY, recentSize: 100_000 });
    const client = await silent(server.port ?? 0);
    for (let i = 0; i < 300; i++) await tree.append(event(`${i}-${big}`));
    tree.setRetention({ maxEvents: 5 });
    await tree.prune();
    client.resume();
    await eventually(() => hub.stats().resets > 0);
    await publish(tree, ["first", "last"]);
    await eventually(() => client.text.includes('"content":"last"'));
    expect(client.text.match(/event: reset/g)).toHaveLength(1);
    expect(client.text.slice(client.text.indexOf("event: reset"))).toContain('"content":"first"');
    expect(hub.stats()).toMatchObject({ clients: 1, resets: 1 });
  });
});

describe("many clients", () => {
  const folder = mkdtempSync(join(tmpdir(), "reef-clients-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("1,000, one of which never reads: the others get everything, and memory stays bounded", async () => {
    // The log is in a file, so that what grows is what is kept for clients.
    const { tree, hub, server } = room({ maxLagBytes: 1_000_000 }, join(folder, "events.sqlite"));
    const expected = 300;
    const received: number[] = [];
    const connect = async (path: string, onData: (socket: Socket, bytes: Buffer) => void) => {
      const opened = Promise.withResolvers<void>();
      const socket = await Bun.connect({
        hostname: "127.0.0.1",
        port: server.port ?? 0,
        socket: {
          data(self, bytes) {
            opened.resolve();
            onData(self, bytes);
          },
          error: () => undefined,
        },
      });
      later(() => socket.terminate());
      socket.write(`GET ${path} HTTP/1.1\r\nHost: reef\r\n\r\n`);
      await opened.promise;
    };
    await connect("/", (socket) => void socket.pause());
    for (let i = 0; i < 999; i++) {
      received.push(0);
      let rest = "";
      await connect("/?type=small", (_socket, bytes) => {
        const parts = (rest + bytes.toString("latin1")).split('"content":"small"');
        received[i] = (received[i] ?? 0) + parts.length - 1;
        rest = parts.at(-1)?.slice(-20) ?? "";
      });
    }
    await eventually(() => hub.stats().clients === 1000);
    Bun.gc(true);
    const before = process.memoryUsage.rss();
    let peak = before;
    for (let sent = 1; sent <= expected; sent++) {
      await tree.append(event("small", "small"));
      await Promise.all(Array.from({ length: 10 }, () => tree.append(event("x".repeat(60_000), "big"))));
      if (sent % 20 !== 0) continue;
      await eventually(() => received.every((count) => count === sent));
      // Garbage is not what is asked about: the 180 MB that the silent client misses must not be kept for it.
      Bun.gc(true);
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    expect(new Set(received)).toEqual(new Set([expected]));
    expect(hub.stats()).toMatchObject({ clients: 999, dropped: { lagging: 1 } });
    expect(peak - before).toBeLessThan(100 * 1024 * 1024);
  }, 60_000);
});
