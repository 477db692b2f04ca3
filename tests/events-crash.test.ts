import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import type { WireEvent } from "../src/core/tree/wire.js";
import type { Json } from "../src/core/types.js";
import { ReefProcess } from "./support/process.js";
import { Sandbox } from "./support/sandbox.js";

/** `REEF_CRASH_ROUNDS=100 bun test tests/events-crash.test.ts` for the long run. */
const rounds = Number(process.env.REEF_CRASH_ROUNDS ?? 2);
const publishers = 16;

const sandbox = new Sandbox();
const { root, dataDir } = sandbox;
const servicesDir = resolve(import.meta.dir, "..", "services");
let running: ReefProcess | undefined;
afterAll(async () => {
  await running?.stop("SIGKILL");
  sandbox.remove();
});

/** A Reef with this checkout's services on the same data as the ones before it. */
function start(): Promise<ReefProcess> {
  running = new ReefProcess({ root, dataDir, servicesDir });
  return running.serving("feed");
}

async function json(reef: ReefProcess, path: string, body?: Json): Promise<{ status: number; data: Json }> {
  const method = body === undefined ? "GET" : "POST";
  const reply = await reef.call(path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: reply.status, data: await reply.json() };
}

/** Publishes from many sides until the server has answered `acks` times, then kills it. */
async function publishAndKill(reef: ReefProcess, round: number, acks: number): Promise<Map<string, string>> {
  const acknowledged = new Map<string, string>();
  let dead = false;
  const publish = async (who: number) => {
    for (let i = 0; !dead; i++) {
      const content = `round r${round} publisher p${who} number ${i}`;
      try {
        const { status, data } = await json(reef, "/feed/events", {
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
        await reef.stop("SIGKILL");
      }
    }
  };
  await Promise.all(Array.from({ length: publishers }, (_, who) => publish(who)));
  return acknowledged;
}

async function everything(reef: ReefProcess): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for (let cursor = ""; ; ) {
    const { data } = await json(reef, `/feed/events?limit=1000${cursor}`);
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
      const first = await start();
      random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
      for (const [id, content] of await publishAndKill(first, round, 20 + (random % 1500))) {
        acknowledged.set(id, content);
      }
      const before = performance.now();
      const second = await start();
      starts.push(performance.now() - before);
      // Beside what is published here there is what Reef publishes while it loads its services.
      const stored = (await everything(second)).filter(({ source }) => ours.test(source));
      const byId = new Map(stored.map((event) => [event.id, event.content]));
      const lost = [...acknowledged].filter(([id, content]) => byId.get(id) !== content);
      expect(lost).toEqual([]);
      expect(stored.map(({ id }) => id)).toEqual([...byId.keys()].sort().reverse());
      const { data } = await json(second, "/feed/stats");
      const counts = Object.entries(data.bySource as Record<string, number>);
      const published = counts.filter(([source]) => ours.test(source));
      expect(published.reduce((sum, [, n]) => sum + n, 0)).toBe(stored.length);
      expect(counts.reduce((sum, [, n]) => sum + n, 0)).toBe(data.count as number);
      const found = await json(second, `/feed/events?limit=1000&q=r${round}+p3&agent=p3`);
      const expected = stored.filter(({ content }) => content.startsWith(`round r${round} publisher p3 `));
      expect(found.data.count as number).toBe(Math.min(1000, expected.length));
      const db = new Database(join(dataDir, "events.sqlite"), { readonly: true });
      expect(db.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
      db.close();
      await second.stop("SIGKILL");
    }
    if (rounds > 2) {
      console.log(
        `${rounds} kills, ${acknowledged.size} acknowledged events, slowest start ${Math.max(...starts)} ms`,
      );
    }
  },
  20_000 + rounds * 10_000,
);
