// One server of the comparison of event streams; the argument says which contender it is.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventHub } from "../../src/core/sse/hub.js";
import { toWire } from "../../src/core/tree/wire.js";
import {
  type EventInput,
  type EventListener,
  type EventLog,
  type EventNode,
  EventTree,
} from "../../src/core/tree.js";
import { serveBench } from "../lib.js";
import { sampleEvent } from "./sample-event.js";

/** How many events to send, how many of them in each turn of the event loop. */
export interface Publish {
  events: number;
  perTick: number;
}

const encoder = new TextEncoder();

function text(index: number, events: number): string {
  return index === events - 1
    ? "the end"
    : `Task ${index} moved to review by agent-7, 3 notes and 2 artifacts`;
}

/**
 * Answers `prepare` by making the events, and `publish` by sending them. Making an event (its id, its time,
 * the object) costs every contender the same and is no part of a delivery, so it is not measured.
 */
function serve<T>(
  port: number | undefined,
  prepare: (batch: EventNode[]) => T,
  publish: (batch: T) => void,
): void {
  let batches: T[] = [];
  serveBench(port ?? 0, async (name, argument) => {
    if (name === "prepare") {
      const { events, perTick } = argument as Publish;
      batches = [];
      for (let made = 0; made < events; ) {
        const batch: EventNode[] = [];
        while (batch.length < perTick && made < events) batch.push(sampleEvent(text(made++, events)));
        batches.push(prepare(batch));
      }
      Bun.gc(true);
    } else if (name === "publish") {
      for (const batch of batches) {
        publish(batch);
        await new Promise(setImmediate);
      }
    }
  });
}

interface DirectController {
  write(bytes: Uint8Array): unknown;
  flush(): unknown;
}

/** A server of direct streams, written by hand. */
function serveStreams(controllers: Set<DirectController>) {
  return Bun.serve({
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
}

function frame(event: EventNode): string {
  return `id: ${event.id}\ndata: ${JSON.stringify(toWire(event))}\n\n`;
}

/** The yardstick: one serialisation per event, one write per event and client. */
function raw() {
  const controllers = new Set<DirectController>();
  serve(
    serveStreams(controllers).port,
    (batch) => batch,
    (batch) => {
      for (const event of batch) {
        const bytes = encoder.encode(frame(event));
        for (const controller of controllers) {
          controller.write(bytes);
          controller.flush();
        }
      }
    },
  );
}

/** What no server that sends in each turn can be faster than: the bytes are there already, one write a client. */
function floor() {
  const controllers = new Set<DirectController>();
  serve(
    serveStreams(controllers).port,
    (batch) => encoder.encode(batch.map(frame).join("")),
    (bytes) => {
      for (const controller of controllers) {
        controller.write(bytes);
        controller.flush();
      }
    },
  );
}

function serveHub(log: EventLog) {
  const hub = new EventHub({ log });
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => hub.connect(request, { server: self }),
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
  serve(
    serveHub(log as unknown as EventLog).port,
    (batch) => batch,
    (batch) => {
      latest = batch.at(-1)?.id ?? latest;
      for (const listener of listeners) listener(batch);
    },
  );
}

/** The whole way: stored with a sync to disk, then announced to the hub. */
function treeAndHub() {
  const folder = mkdtempSync(join(tmpdir(), "reef-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const tree = new EventTree({ path: join(folder, "events.sqlite") });
  const input = ({ type, source, content, extra }: EventNode): EventInput => ({
    type,
    source,
    content,
    ...extra,
  });
  serve(
    serveHub(tree).port,
    (batch) => batch.map(input),
    (batch) => {
      for (const event of batch) tree.append(event);
    },
  );
}

const mode = process.argv[2];
if (mode === "raw") raw();
else if (mode === "floor") floor();
else if (mode === "hub") hubOnly();
else if (mode === "tree") treeAndHub();
else throw new Error(`unknown contender ${mode}`);
