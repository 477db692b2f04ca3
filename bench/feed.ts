// Event streams, durable publishing and pages of the event tree, against the bare platform.
//   bun bench/feed.ts [--json] [--rounds=7] [--only=streams|publish|pages] [--clients=1]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "bun";
import { EventTree } from "../src/core/tree.js";
import {
  type BenchServer,
  type Case,
  compare,
  finish,
  measure,
  report,
  roundsOr,
  spawnServer,
} from "./lib.js";
import { load } from "./load.js";
import type { Publish } from "./servers/streams.js";

const option = (name: string) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.split("=")[1];
const rounds = roundsOr(7);
const only = option("only");
const onlyClients = option("clients");
const folder = join(import.meta.dir, "servers");
const end = Buffer.from('"the end"');

/** Clients that take what comes and notice the last event of each round. */
class Clients {
  #sockets: Socket[] = [];
  #waiting = 0;
  #done = Promise.withResolvers<void>();

  static async connect(port: number, count: number): Promise<Clients> {
    const clients = new Clients();
    for (let i = 0; i < count; i++) {
      const opened = Promise.withResolvers<void>();
      let tail: Buffer = Buffer.alloc(0);
      const socket = await Bun.connect({
        hostname: "127.0.0.1",
        port,
        socket: {
          data(_socket, bytes) {
            opened.resolve();
            const last = Buffer.concat([tail, bytes.subarray(-400)]);
            tail = Buffer.from(last.subarray(-400));
            if (last.indexOf(end) < 0) return;
            tail = Buffer.alloc(0);
            if (--clients.#waiting === 0) clients.#done.resolve();
          },
          error: (_socket, error) => clients.#done.reject(error),
        },
      });
      socket.write("GET / HTTP/1.1\r\nHost: bench\r\n\r\n");
      await opened.promise;
      clients.#sockets.push(socket);
    }
    return clients;
  }

  /** Resolves when every client has had the last event. */
  async round(start: () => Promise<unknown>): Promise<void> {
    this.#waiting = this.#sockets.length;
    this.#done = Promise.withResolvers();
    await Promise.all([start(), this.#done.promise]);
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
  }
}

/** Events in a round: enough for a tenth of a second, which leaves the start of a round no weight. */
const loads = [
  { clients: 1, single: 20_000, burst: 40_000 },
  { clients: 100, single: 1000, burst: 2000 },
  { clients: 1000, single: 200, burst: 400 },
];

async function streams(): Promise<void> {
  for (const { clients: count, single, burst } of loads) {
    if (onlyClients && count !== Number(onlyClients)) continue;
    for (const perTick of [1, 20]) {
      const servers: BenchServer[] = [];
      const cases: Case[] = [];
      const all: Clients[] = [];
      for (const [mode, name] of [
        ["raw", "raw Bun stream, a write per event"],
        ["hub", "Reef's hub"],
        ["tree", "Reef's hub, events stored first: those of a commit in one write"],
        ["floor", "raw Bun stream, bytes made beforehand, a write per turn"],
      ] as const) {
        const server = await spawnServer(join(folder, "streams.ts"), [mode]);
        const clients = await Clients.connect(server.port, count);
        // Alone in its turn, each event waits for the disk.
        const share = mode === "tree" && count === 1 ? 0.2 : 1;
        const publish: Publish = { events: (perTick > 1 ? burst : single) * share, perTick };
        servers.push(server);
        all.push(clients);
        const deliveries = publish.events * count;
        const send = () => clients.round(() => server.command("publish"));
        cases.push({
          name,
          async round() {
            await server.command("prepare", publish);
            return measure(server, deliveries, send);
          },
        });
      }
      const how = perTick > 1 ? `bursts of ${perTick}` : "one event at a time";
      report(`Deliveries to ${count} clients, ${how}`, await compare(cases, rounds));
      for (const clients of all) clients.close();
      for (const server of servers) await server.stop();
    }
  }
}

async function publishing(): Promise<void> {
  const body = JSON.stringify({
    type: "task_updated",
    source: "board",
    content: "Task 17 moved to review by agent-7, 3 notes and 2 artifacts",
    taskId: "01a1fbbe-1a2a-71b8-8a11-a144e846d5f5",
  });
  const headers = { Authorization: "Bearer bench-token", "Content-Type": "application/json" };
  for (const connections of [1, 64, 256]) {
    const requests = connections === 1 ? 3000 : 20_000;
    const cases: Case[] = [];
    const servers: BenchServer[] = [];
    for (const [mode, name] of [
      ["publish-only", "Reef's feed without the write"],
      ["publish-durable", "Reef's feed, stored before the reply"],
      ["publish-raw", "raw Bun.serve, nothing stored"],
    ] as const) {
      const server = await spawnServer(join(folder, "feed.ts"), [mode]);
      servers.push(server);
      const options = {
        method: "POST",
        path: "/feed/events",
        headers,
        body,
        requests,
        connections,
        expect: 201,
      };
      const work = () => load(server.port, options);
      cases.push({
        name,
        async round() {
          const sample = await measure(server, requests, work);
          // What this one has put off must not slow down the next.
          await server.command("settle");
          return sample;
        },
      });
    }
    report(`Publishing over HTTP, ${connections} connections`, await compare(cases, rounds));
    for (const server of servers) await server.stop();
  }
}

async function pages(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "reef-bench-"));
  const trees: EventTree[] = [];
  try {
    const sizes = [1000, 1_000_000];
    for (const size of sizes) {
      const tree = new EventTree({ path: join(scratch, `${size}.sqlite`) });
      trees.push(tree);
      for (let made = 0; made < size; ) {
        const batch: Promise<unknown>[] = [];
        for (; batch.length < 1000; made++) {
          const content = `Task ${made} moved to review by agent-${made % 40}`;
          batch.push(tree.append({ type: `type-${made % 20}`, source: `agent-${made % 20}`, content }));
        }
        await Promise.all(batch);
      }
      // A search by words waits for the indexes, which otherwise are complete soon after the last event.
      await tree.search({ text: "nothing" });
    }
    const queries = {
      "50 newest": {},
      "50 newest of a type": { type: "type-3" },
      "50 newest of a source": { source: "agent-7" },
      "50 newest with a word": { text: "review" },
      "50 newest since a time": { since: "2020-01-01" },
    };
    for (const [name, query] of Object.entries(queries)) {
      const reads = 300;
      const cases = trees.map((tree, i) => ({
        name: `of ${sizes[i]?.toLocaleString("en")} events`,
        async round() {
          const before = performance.now();
          const cpu = process.cpuUsage();
          for (let read = 0; read < reads; read++) await tree.search({ ...query, limit: 50 });
          const { user, system } = process.cpuUsage(cpu);
          const seconds = (performance.now() - before) / 1000;
          return { perSecond: reads / seconds, cpuMicros: (user + system) / reads };
        },
      }));
      report(`Pages: ${name}`, await compare(cases, rounds));
    }
  } finally {
    for (const tree of trees) await tree.close();
    rmSync(scratch, { recursive: true });
  }
}

if (!only || only === "streams") await streams();
if (!only || only === "publish") await publishing();
if (!only || only === "pages") await pages();
finish();
