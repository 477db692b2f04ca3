import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WireEvent } from "../src/core/tree/wire.js";
import { type ReefProcess, startReef } from "./support/reef-process.js";

/** `REEF_CRASH_ROUNDS=100 bun test tests/events-crash.test.ts` for the long run. */
const rounds = Number(process.env.REEF_CRASH_ROUNDS ?? 2);
const publishers = 16;

const dataDir = mkdtempSync(join(tmpdir(), "reef-crash-"));
let running: ReefProcess | undefined;
afterAll(async () => {
  await running?.kill();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Publishes from many sides until the server has answered `acks` times, then kills it. */
async function publishAndKill(reef: ReefProcess, round: number, acks: number): Promise<Map<string, string>> {
  const acknowledged = new Map<string, string>();
  let dead = false;
  const publish = async (who: number) => {
    for (let i = 0; !dead; i++) {
      const content = `round r${round} publisher p${who} number ${i}`;
      try {
        const { status, data } = await reef.call("/feed/events", {
          type: `t${i % 7}`,
          source: `p${who}`,
          content,
        });
        expect(status).toBe(201);
        acknowledged.set(data.id, content);
      } catch (error) {
        if (!dead) throw error;
      }
      if (acknowledged.size >= acks && !dead) {
        dead = true;
        await reef.kill();
      }
    }
  };
  await Promise.all(Array.from({ length: publishers }, (_, who) => publish(who)));
  return acknowledged;
}

async function everything(reef: ReefProcess): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for (let cursor = ""; ; ) {
    const { data } = await reef.call(`/feed/events?limit=1000${cursor}`);
    events.push(...(data.events as WireEvent[]));
    if (!data.next) return events;
    cursor = `&cursor=${data.next}`;
  }
}

/** The publishers of this test. */
const ours = /^p\d+$/;

test(
  `no acknowledged event is lost in ${rounds} kills under load, and the database stays sound`,
  async () => {
    const acknowledged = new Map<string, string>();
    const starts: number[] = [];
    let random = 12345;
    for (let round = 0; round < rounds; round++) {
      running = await startReef(dataDir);
      random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
      for (const [id, content] of await publishAndKill(running, round, 20 + (random % 1500))) {
        acknowledged.set(id, content);
      }
      running = await startReef(dataDir);
      starts.push(running.startedIn);
      // Beside what is published here there is what Reef publishes while it loads its services.
      const stored = (await everything(running)).filter(({ source }) => ours.test(source));
      const byId = new Map(stored.map((event) => [event.id, event.content]));
      const lost = [...acknowledged].filter(([id, content]) => byId.get(id) !== content);
      expect(lost).toEqual([]);
      expect(stored.map(({ id }) => id)).toEqual([...byId.keys()].sort().reverse());
      const { data } = await running.call("/feed/stats");
      const counts = Object.entries(data.bySource as Record<string, number>);
      const published = counts.filter(([source]) => ours.test(source));
      expect(published.reduce((sum, [, n]) => sum + n, 0)).toBe(stored.length);
      expect(counts.reduce((sum, [, n]) => sum + n, 0)).toBe(data.count as number);
      const found = await running.call(`/feed/events?limit=1000&q=r${round}+p3&agent=p3`);
      const expected = stored.filter(({ content }) => content.startsWith(`round r${round} publisher p3 `));
      expect(found.data.count as number).toBe(Math.min(1000, expected.length));
      const db = new Database(join(dataDir, "events.sqlite"), { readonly: true });
      expect(db.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
      db.close();
      await running.kill();
      running = undefined;
    }
    if (rounds > 2) {
      console.log(
        `${rounds} kills, ${acknowledged.size} acknowledged events, slowest start ${Math.max(...starts)} ms`,
      );
    }
  },
  20_000 + rounds * 10_000,
);
