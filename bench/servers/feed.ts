// One server of the feed benchmark; the argument says which contender it is.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import feed from "../../services/feed/index.js";
import { eventStoreOf } from "../../src/core/event-store.js";
import { startServer } from "../../src/core/server.js";
import { EventHub } from "../../src/core/sse/hub.js";
import { idsAfter } from "../../src/core/tree/ids.js";
import { draft } from "../../src/core/tree/validate.js";
import { toWire } from "../../src/core/tree/wire.js";
import {
  type EventInput,
  type EventListener,
  type EventLog,
  type EventNode,
  EventTree,
} from "../../src/core/tree.js";
import { serveBench } from "../lib.js";

/** How many events to send, how many of them in each turn of the event loop. */
export interface Publish {
  events: number;
  perTick: number;
}

const mode = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), "reef-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

function node(content: string): EventNode {
  return {
    id: Bun.randomUUIDv7(),
    parentId: null,
    type: "task_updated",
    source: "board",
    content,
    time: new Date().toISOString(),
    extra: { taskId: "01a1fbbe-1a2a-71b8-8a11-a144e846d5f5", status: "in_review", by: "agent-7" },
  };
}

function text(index: number, events: number): string {
  return index === events - 1
    ? "the end"
    : `Task ${index} moved to review by agent-7, 3 notes and 2 artifacts`;
}

async function inTicks({ events, perTick }: Publish, publish: (contents: string[]) => void): Promise<void> {
  for (let sent = 0; sent < events; ) {
    const contents: string[] = [];
    while (contents.length < perTick && sent < events) contents.push(text(sent++, events));
    publish(contents);
    await new Promise(setImmediate);
  }
}

interface DirectController {
  write(bytes: Uint8Array): unknown;
  flush(): unknown;
}

/** The yardstick: direct streams, one write per event and client, one serialisation per event. */
function raw() {
  const controllers = new Set<DirectController>();
  const encoder = new TextEncoder();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, self) {
      self.timeout(request, 0);
      const source = {
        type: "direct",
        pull(controller: DirectController) {
          controllers.add(controller);
          controller.write(encoder.encode("retry: 2000\n\n"));
          controller.flush();
          return new Promise(() => undefined);
        },
        cancel: () => controllers.clear(),
      };
      const stream = new ReadableStream(source as unknown as UnderlyingDefaultSource);
      return new Response(stream, { headers: { "content-type": "text/event-stream" } });
    },
  });
  serveBench(server.port ?? 0, async (_name, argument) => {
    await inTicks(argument as Publish, (contents) => {
      for (const content of contents) {
        const event = node(content);
        const bytes = encoder.encode(`id: ${event.id}\ndata: ${JSON.stringify(toWire(event))}\n\n`);
        for (const controller of controllers) {
          controller.write(bytes);
          controller.flush();
        }
      }
    });
  });
}

function serveHub(log: EventLog, publish: (contents: string[]) => void) {
  const hub = new EventHub({ log });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => hub.connect(request, { server: self }),
  });
  serveBench(server.port ?? 0, async (name, argument) => {
    if (name === "stats") return hub.stats();
    await inTicks(argument as Publish, publish);
  });
}

/** The hub alone: events come from memory, as if just committed. */
function hubOnly() {
  const listeners = new Set<EventListener>();
  let latest = "";
  const log = {
    latest: () => latest,
    after: async () => [],
    subscribe(listener: EventListener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  serveHub(log as unknown as EventLog, (contents) => {
    const nodes = contents.map(node);
    latest = nodes.at(-1)?.id ?? latest;
    for (const listener of listeners) listener(nodes);
  });
}

function published(content: string): EventInput {
  const { type, source, extra } = node(content);
  return { type, source, content, ...extra };
}

/** The whole way: stored with a sync to disk, then announced to the hub. */
function treeAndHub() {
  const tree = new EventTree({ path: join(folder, "events.sqlite") });
  serveHub(tree, (contents) => {
    for (const content of contents) tree.append(published(content));
  });
}

/** Publishing over HTTP: the feed of a whole Reef, with or without the write. */
async function publishing(stores: boolean) {
  process.env.REEF_CHECK = "off";
  const reef = await startServer({
    servicesDir: join(folder, "services"),
    dataDir: join(folder, "data"),
    modules: [feed],
    authToken: "bench-token",
    port: 0,
  });
  if (!stores) {
    let row = 0;
    let now = 0;
    let time = "";
    let last = "";
    let idOf = idsAfter(last, now, 1);
    eventStoreOf(reef.ctx).log.append = async (input) => {
      const { parentId, type, source, content, extra } = draft(input);
      row++;
      // Ids and times are made as for events that are stored: the time once for those of a moment.
      if (Date.now() !== now) {
        now = Date.now();
        time = new Date(now).toISOString();
        idOf = idsAfter(last, now, row);
      }
      last = idOf(row);
      return { id: last, parentId, type, source, content, time, extra };
    };
  }
  serveBench(reef.server.port ?? 0);
}

/** The hand-written yardstick: checks the token, parses, answers; with or without a row per request. */
function rawPublishing() {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      if (request.headers.get("authorization") !== "Bearer bench-token")
        return new Response(null, { status: 401 });
      const { type, source, content, ...extra } = (await request.json()) as EventInput;
      const event = { ...node(content), type, source, extra: extra as EventNode["extra"] };
      return Response.json(toWire(event), { status: 201 });
    },
  });
  serveBench(server.port ?? 0);
}

if (mode === "raw") raw();
else if (mode === "hub") hubOnly();
else if (mode === "tree") treeAndHub();
else if (mode === "publish-raw") rawPublishing();
else if (mode === "publish-durable") await publishing(true);
else if (mode === "publish-only") await publishing(false);
else throw new Error(`unknown contender ${mode}`);
