/**
 * One stream for all dashboards that a browser has open, or for each where it cannot share: what happens to services
 * and deploys, and the event feed's own frames in between. A browser keeps few connections to a host.
 */
import { announceEnd } from "../../src/core/streams.js";
import type { ServiceContext } from "../../src/core/types.js";
import { FeedReader } from "./feed-reader.js";

/** Something that is passed on once and not kept. `kind` says which. */
export type LiveMessage =
  | { kind: "hello"; boot: string; time: string }
  | { kind: "ping"; time: string; feed: boolean }
  | { kind: "services"; name: string; action: string; error?: string }
  | { kind: "deploy"; name: string; step: string; status: string; detail?: string; durationMs?: number }
  | { kind: "installer"; id: string; action: string; dirName: string; step: string; status: string };

/** Tells one run of the server from the next; the same for all versions of the dashboard in one run. */
export const BOOT = `${process.pid}-${Math.round(performance.timeOrigin)}`;

export const PING_MS = 10_000;
/** A client that has so many bytes waiting does not read; it is let go and comes back. */
const MAX_WAITING = 1024 * 1024;
const HIGH_WATER = 128 * 1024;

const encoder = new TextEncoder();

export interface LiveClient {
  /** The `Last-Event-ID` of the request: the feed goes on after it. */
  lastEventId: string | undefined;
  /** Asked at each ping; the stream ends when the answer is no. */
  isAlive: () => boolean;
  signal: AbortSignal;
}

/** All open dashboards. */
export class Live {
  readonly #ctx: ServiceContext;
  readonly #streams = new Set<LiveStream>();

  constructor(ctx: ServiceContext) {
    this.#ctx = ctx;
    ctx.events.on("services:changed", ({ name, action, error }) =>
      this.#send({ kind: "services", name, action, ...(error !== undefined && { error }) }),
    );
    ctx.events.on("services:deploy", (step) => this.#send({ ...step, kind: "deploy" }));
    ctx.events.on("installer:progress", (step) => this.#send({ ...step, kind: "installer" }));
  }

  /** Open streams. */
  get size(): number {
    return this.#streams.size;
  }

  #send(message: LiveMessage): void {
    for (const stream of this.#streams) stream.send(message);
  }

  /** A stream of server-sent events that goes on until one side leaves. */
  connect(client: LiveClient): Response {
    const stream = new LiveStream(this.#ctx, client, () => this.#streams.delete(stream));
    this.#streams.add(stream);
    const headers = {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    };
    return announceEnd(new Response(stream.body, { headers }), stream.ended, () => stream.end());
  }
}

class LiveStream {
  readonly body: ReadableStream<Uint8Array>;
  /** Resolves when nothing more will be sent. */
  readonly ended: Promise<void>;
  readonly #ended = new AbortController();
  readonly #cancelPings: () => void;
  readonly #gone: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #room = Promise.withResolvers<void>();

  constructor(ctx: ServiceContext, { lastEventId, isAlive, signal }: LiveClient, gone: () => void) {
    this.#gone = gone;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#ended.signal.addEventListener("abort", () => resolve());
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#room.resolve(),
        cancel: () => this.end(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER }),
    );
    const outside = AbortSignal.any([signal, ctx.signal]);
    outside.addEventListener("abort", () => this.end(), { signal: this.#ended.signal });
    const feed = new FeedReader(ctx, lastEventId, this.#ended.signal);
    const ping = () => this.send({ kind: "ping", time: new Date().toISOString(), feed: feed.connected });
    this.#cancelPings = ctx.setInterval(() => (isAlive() ? ping() : this.end()), PING_MS);
    this.send({ kind: "hello", boot: BOOT, time: new Date().toISOString() });
    void feed.run((frames) => this.#pass(frames), ping);
  }

  send(message: LiveMessage): void {
    this.#write(`event: reef\ndata: ${JSON.stringify(message)}\n\n`);
  }

  /** Resolves when there is room for more. */
  async #pass(frames: string): Promise<void> {
    this.#write(frames);
    if ((this.#controller?.desiredSize ?? 0) > 0) return;
    this.#room = Promise.withResolvers();
    if (!this.#ended.signal.aborted) await this.#room.promise;
  }

  #write(text: string): void {
    if (this.#ended.signal.aborted || !this.#controller) return;
    this.#controller.enqueue(encoder.encode(text));
    if ((this.#controller.desiredSize ?? 0) < -MAX_WAITING) this.end();
  }

  end(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#cancelPings();
    this.#room.resolve();
    this.#gone();
    try {
      this.#controller?.close();
    } catch {
      // The reader has cancelled, which closes it as well.
    }
  }
}
