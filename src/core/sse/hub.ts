/** Streams the events of a log to clients as server-sent events. */
import { AsyncLocalStorage } from "node:async_hooks";
import { keepOpen } from "../keep-open.js";
import { announceEnd } from "../streams.js";
import { isEventId } from "../tree/ids.js";
import type { EventLog, EventNode, Place } from "../tree/log.js";
import { Clients } from "./clients.js";
import { Connection } from "./connection.js";
import {
  type Chunk,
  type EventFilter,
  encode,
  type Frame,
  RecentFrames,
  toChunks,
  toFrame,
} from "./frames.js";

export type { EventFilter } from "./frames.js";

/** Options of an {@link EventHub}. */
export interface EventHubOptions {
  log: EventLog;
  /** The interval of heartbeat comments, which keep proxies from closing the connection. Default 15 seconds. */
  heartbeatMs?: number;
  /** A client that reads nothing for this long is dropped. Default 30 seconds. */
  maxStallMs?: number;
  /** A stalled client that has missed this many bytes is dropped. Default 4 MiB. */
  maxLagBytes?: number;
  /** The maximum number of clients; further ones get a 503. Default 10,000. */
  maxClients?: number;
  /** How many characters of recent frames are kept for reconnecting clients. Default 256 Ki. */
  recentSize?: number;
}

/** Counters of an {@link EventHub}. */
export interface EventHubStats {
  /** Current clients. */
  clients: number;
  /** Since the start: clients that connected, events delivered, `reset`s sent, clients that left. */
  connected: number;
  delivered: number;
  resets: number;
  disconnected: number;
  /** Clients that were cut off because they read nothing for too long, or fell too far behind. */
  dropped: { stalled: number; lagging: number };
}

/** Options of one stream. */
export interface StreamOptions {
  /** The `Bun.serve` server that received the request, to disable the idle timeout. */
  server?: unknown;
  filter?: EventFilter;
  /**
   * Where to begin when the request has no `Last-Event-ID`: an event id or an ISO 8601 time. Without either,
   * the stream begins with the next event.
   */
  since?: string;
}

const headers = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

const comment = encode(":\n\n");

/**
 * Streams the events of a log to any number of clients as server-sent events.
 *
 * Each event is serialised once; events committed together are written to a client in one piece. Nothing is
 * queued for a client that does not read: it catches up from the log when it reads again, and is cut off if
 * that takes too long. It can then resume with `Last-Event-ID`.
 *
 * @example
 * const hub = new EventHub({ log: eventStoreOf(ctx).log });
 * routes.get("/stream", (c) => hub.connect(c.req.raw, { server: c.env }));
 * ctx.onDispose(() => hub.close());
 */
export class EventHub {
  readonly #log: EventLog;
  readonly #options: Required<EventHubOptions>;
  readonly #clients = new Clients();
  readonly #recent: RecentFrames;
  readonly #unsubscribe: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #inOwnContext = AsyncLocalStorage.snapshot();
  readonly #counts = { connected: 0, delivered: 0, resets: 0, disconnected: 0, stalled: 0, lagging: 0 };
  /** The position of the last announced event. */
  #latest: string;
  #closed = false;

  constructor(options: EventHubOptions) {
    this.#options = {
      heartbeatMs: 15_000,
      maxStallMs: 30_000,
      maxLagBytes: 4 * 1024 * 1024,
      maxClients: 10_000,
      recentSize: 256 * 1024,
      ...options,
    };
    this.#log = options.log;
    this.#latest = this.#log.latest();
    this.#recent = new RecentFrames(this.#latest, this.#options.recentSize);
    this.#unsubscribe = this.#log.subscribe((events) => this.#announce(events));
    this.#timer = setInterval(() => this.beat(), this.#options.heartbeatMs);
    this.#timer.unref();
  }

  /**
   * Answers a request with a stream of events.
   *
   * @throws EventLogError when `since` is neither an id nor a time
   */
  async connect(request: Request, { server, filter, since }: StreamOptions = {}): Promise<Response> {
    if (this.#closed || this.#clients.size >= this.#options.maxClients) {
      const error = this.#closed ? "the server is shutting down" : "too many event streams are open";
      return Response.json({ error }, { status: 503, headers: { "retry-after": "5" } });
    }
    const header = request.headers.get("last-event-id");
    const lastId = header && !isEventId(header) ? { reset: "unknown" as const } : header;
    const cursor = lastId || since;
    const start = this.#latest;
    let place: Place;
    this.#clients.arriving++;
    try {
      place = typeof cursor === "string" ? await this.#log.locate(cursor) : (cursor ?? { position: start });
    } finally {
      this.#clients.arriving--;
    }
    keepOpen(request, server);

    const reset = "reset" in place ? place.reset : null;
    const connection: Connection = new Connection({
      position: "position" in place ? place.position : start,
      filter,
      onBegin: () => this.#inOwnContext(() => this.#begin(connection, reset, !cursor)),
      onGone: () => this.#gone(connection),
    });
    this.#clients.idle.add(connection);
    const stop = () => this.#inOwnContext(() => this.#end(connection));
    return announceEnd(new Response(connection.stream, { headers }), connection.ended, stop);
  }

  /** Sends heartbeats and drops clients that have read nothing for too long. Called by a timer. */
  beat(): void {
    const now = performance.now();
    for (const connection of this.#clients.idle) {
      if (now - connection.idleSince >= this.#options.maxStallMs) this.#end(connection);
    }
    const withPlace = encode(`id: ${this.#latest}\n:\n\n`);
    for (const connection of this.#clients.reading) {
      if (connection.state === "stalled" && now - connection.stalledAt >= this.#options.maxStallMs) {
        this.#drop(connection, "stalled");
      } else if (connection.state === "live") {
        // A filtered client may have received nothing for long; its position advances with the log.
        const moveOn = connection.filter && this.#latest && !connection.ahead;
        const result = connection.write(moveOn ? withPlace : comment);
        if (!connection.ahead) connection.position = this.#latest;
        if (result === false) this.#gone(connection);
        else if (result !== true) this.#stalled(connection, result);
      }
    }
  }

  /** The current counters. */
  stats(): EventHubStats {
    const { stalled, lagging, ...counts } = this.#counts;
    return { clients: this.#clients.reading.size, ...counts, dropped: { stalled, lagging } };
  }

  /** Ends all streams and refuses further clients. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsubscribe();
    clearInterval(this.#timer);
    for (const connection of this.#clients.all()) this.#end(connection);
  }

  /** Ends one stream, cleanly unless its client is stalled. */
  #end(connection: Connection): void {
    this.#clients.remove(connection);
    if (connection.state === "stalled") connection.end(new Error("the event stream is closing"));
    else if (!connection.closed) connection.end();
  }

  #announce(events: readonly EventNode[]): void {
    const last = events.at(-1)?.id ?? this.#latest;
    this.#latest = last;
    if (this.#clients.reading.size === 0) {
      this.#recent.clear(last);
      return;
    }
    const frames = events.map(toFrame);
    this.#recent.add(frames);
    let all: Chunk[] | undefined;
    let shared: Map<string, Chunk[]> | undefined;
    for (const connection of this.#clients.reading) {
      if (connection.state === "catching-up") continue;
      let chunks: Chunk[] | undefined;
      if (!connection.filter) {
        all ??= toChunks(frames);
        chunks = all;
      } else {
        shared ??= new Map();
        chunks = shared.get(connection.filterKey);
        if (!chunks) {
          chunks = toChunks(frames, connection.filter);
          shared.set(connection.filterKey, chunks);
        }
      }
      if (connection.state === "live") this.#deliver(connection, chunks, frames);
      else this.#miss(connection, chunks);
    }
  }

  #deliver(connection: Connection, chunks: Chunk[], frames: readonly Frame[]): void {
    let own = chunks;
    if (connection.ahead) {
      const { position, filter } = connection;
      own = toChunks(
        frames.filter(({ id }) => id > position),
        filter,
      );
      connection.ahead = position > this.#latest;
    }
    if (own.length === 0) return;
    const { result, sent } = connection.writeAll(own);
    this.#counts.delivered += sent;
    if (result === false) this.#gone(connection);
    else if (result !== true) this.#stalled(connection, result);
  }

  #miss(connection: Connection, chunks: Chunk[]): void {
    for (const { bytes } of chunks) connection.lag += bytes.length;
    if (connection.lag > this.#options.maxLagBytes) this.#drop(connection, "lagging");
  }

  #begin(connection: Connection, reset: string | null, fresh: boolean): void {
    if (this.#closed) {
      this.#end(connection);
      return;
    }
    this.#clients.begin(connection);
    this.#counts.connected++;
    let hello = "retry: 2000\n\n";
    if (reset) hello += this.#resetFrame(connection, reset);
    else if (fresh && connection.position) hello = `id: ${connection.position}\n${hello}`;
    connection.write(encode(hello));
    this.#catchUp(connection);
  }

  #resetFrame(connection: Connection, reason: string): string {
    connection.position = this.#latest;
    this.#counts.resets++;
    const data = JSON.stringify({ type: "reset", reason, latest: this.#latest || null });
    return `${this.#latest ? `id: ${this.#latest}\n` : ""}event: reset\ndata: ${data}\n\n`;
  }

  #stalled(connection: Connection, drained: Promise<unknown>): void {
    connection.state = "stalled";
    connection.lag = 0;
    connection.stalledAt = performance.now();
    drained.then(
      () => this.#catchUp(connection),
      () => this.#gone(connection),
    );
  }

  /** Sends all events after the connection's position, then makes it live. */
  async #catchUp(connection: Connection): Promise<void> {
    if (connection.closed) return;
    connection.state = "catching-up";
    try {
      for (;;) {
        const frames = this.#recent.after(connection.position) ?? (await this.#read(connection));
        if (connection.closed) return;
        if (frames.length === 0) {
          if (connection.position < this.#latest) continue;
          connection.ahead = connection.position > this.#latest;
          connection.state = "live";
          return;
        }
        const { result, sent } = connection.writeAll(toChunks(frames, connection.filter));
        this.#counts.delivered += sent;
        if (result === false) return this.#gone(connection);
        if (result !== true) return this.#stalled(connection, result);
        connection.position = frames.at(-1)?.id ?? connection.position;
      }
    } catch (error) {
      if (!connection.closed) {
        connection.end(new Error("the events could not be read", { cause: error }));
        this.#gone(connection);
      }
    }
  }

  async #read(connection: Connection): Promise<Frame[]> {
    const nodes = await this.#log.after(connection.position);
    // A long backlog is read in portions, with other work in between.
    await new Promise(setImmediate);
    if (nodes) return nodes.map(toFrame);
    if (!connection.closed) connection.write(encode(this.#resetFrame(connection, "pruned")));
    return [];
  }

  #drop(connection: Connection, reason: "stalled" | "lagging"): void {
    if (!this.#clients.remove(connection)) return;
    this.#counts[reason]++;
    connection.end(new Error(`the event stream was cut off: its client is ${reason}`));
  }

  #gone(connection: Connection): void {
    if (this.#clients.remove(connection)) this.#counts.disconnected++;
    if (!connection.closed) connection.end();
  }
}
