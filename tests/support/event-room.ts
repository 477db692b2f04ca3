import type { Server } from "bun";
import { EventHub, type EventHubOptions, type StreamOptions } from "../../src/core/sse/hub.js";
import type { WireEvent } from "../../src/core/tree/wire.js";
import { EventTree } from "../../src/core/tree.js";

export { eventually } from "./sandbox.js";

export interface Room {
  tree: EventTree;
  hub: EventHub;
  server: Server<undefined>;
  url: string;
}

const cleanups: (() => unknown)[] = [];

/** Undoes what a test set up; call it after each. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** Has `cleanup` called after the test. */
export function later(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** A tree, a hub and a server that answers every request with a stream (`?type`, `?since`). */
export function room(options: Partial<EventHubOptions> = {}, path = ":memory:"): Room {
  const tree = new EventTree({ path });
  const hub = new EventHub({ log: tree, heartbeatMs: 3_600_000, ...options });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 1,
    development: false,
    fetch(request, self) {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/quiet") return new Response(new ReadableStream());
      const types = searchParams.getAll("type");
      const since = searchParams.get("since") ?? undefined;
      const options: StreamOptions = { server: self, since, filter: types.length ? { types } : undefined };
      return hub.connect(request, options);
    },
  });
  cleanups.push(async () => {
    hub.close();
    await server.stop(true);
    await tree.close();
  });
  return { tree, hub, server, url: server.url.href };
}

/** What a client has seen: everything between two empty lines, taken apart. */
interface Block {
  id?: string;
  event?: string;
  data?: WireEvent;
  comment: boolean;
}

function parse(block: string): Block {
  const parsed: Block = { comment: false };
  for (const line of block.split("\n")) {
    if (line.startsWith("data: ")) parsed.data = JSON.parse(line.slice(6));
    else if (line.startsWith("id: ")) parsed.id = line.slice(4);
    else if (line.startsWith("event: ")) parsed.event = line.slice(7);
    else if (line.startsWith(":")) parsed.comment = true;
  }
  return parsed;
}

/** A client that reads with `fetch` and keeps what an EventSource would. */
export class Client {
  readonly blocks: Block[] = [];
  lastId: string | undefined;
  ended = false;
  #abort = new AbortController();
  #changed = Promise.withResolvers<void>();

  constructor(
    readonly url: string,
    lastId?: string,
  ) {
    this.lastId = lastId;
    this.#read();
  }

  get events(): WireEvent[] {
    return this.blocks.flatMap(({ data, event }) => (data && !event ? [data] : []));
  }

  get resets(): Block[] {
    return this.blocks.filter(({ event }) => event === "reset");
  }

  async until(condition: (client: Client) => boolean): Promise<this> {
    while (!condition(this)) await this.#changed.promise;
    return this;
  }

  stop(): void {
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    const headers: Record<string, string> = this.lastId ? { "last-event-id": this.lastId } : {};
    try {
      const response = await fetch(this.url, { headers, signal: this.#abort.signal });
      let rest = "";
      const decoder = new TextDecoder();
      for await (const bytes of response.body ?? []) {
        const blocks = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const text of blocks) {
          const block = parse(text);
          this.blocks.push(block);
          this.lastId = block.id ?? this.lastId;
        }
        this.#notify();
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) throw error;
    } finally {
      this.ended = true;
      this.#notify();
    }
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

export const event = (content: string, type = "note") => ({ type, source: "test", content });

/** A client whose stream has begun. */
export async function connected(url: string, lastId?: string): Promise<Client> {
  const client = new Client(url, lastId);
  cleanups.push(() => client.stop());
  return client.until(({ blocks }) => blocks.length > 0);
}

export const contents = (client: Client) => client.events.map(({ content }) => content);
export const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => String(from + i));

export async function publish(tree: EventTree, names: string[], type?: string) {
  return Promise.all(names.map((name) => tree.append(event(name, type))));
}
