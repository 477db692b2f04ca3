/** Open tabs of the dashboard that share a connection, without a browser: its locks, its channel, and a server of events. */

import { Recent } from "../../services/ui/client/recent.js";
import { type Browser, type News, type Place, share, type Tab } from "../../services/ui/client/tabs.js";
import type { ServerSentEvent } from "../../services/ui/server-sent-events.js";

/** As in `tabs.ts`, a hundred times as fast. */
export const TIMES = { beat: 50, silence: 150, answer: 30 };
/** Nobody loses patience. */
export const NEVER = { ...TIMES, silence: 3_600_000, answer: 3_600_000 };

type Lead = () => Promise<void>;

/** The locks of a browser, as far as one lock goes. */
export class Locks {
  readonly #waiting: Array<{ lead: Lead; resolve: () => void; reject: (error: unknown) => void }> = [];
  #broken: ((error: unknown) => void) | undefined;

  request(_: string, { signal, steal }: LockOptions, lead: Lead): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = { lead, resolve, reject };
      if (steal) this.#broken?.(new DOMException("another took it", "AbortError"));
      this.#waiting[steal ? "unshift" : "push"](request);
      if (steal) this.#broken = undefined;
      signal?.addEventListener("abort", () => {
        const at = this.#waiting.indexOf(request);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        reject(new DOMException("the request was given up", "AbortError"));
      });
      this.#next();
    });
  }

  #next(): void {
    if (this.#broken) return;
    const first = this.#waiting.shift();
    if (!first) return;
    const broken = first.reject;
    this.#broken = broken;
    queueMicrotask(async () => {
      await first.lead();
      first.resolve();
      if (this.#broken !== broken) return;
      this.#broken = undefined;
      this.#next();
    });
  }
}

export type Channel = Browser["channel"];

/** What tabs say, which reaches each of the others after a while, in the order in which one says it. */
export class Air {
  asked = 0;
  readonly #channels = new Set<Channel>();

  open(): Channel {
    const sent = new Map<Channel, Promise<unknown>>();
    const channel: Channel = {
      onmessage: null,
      close: () => void this.#channels.delete(channel),
      postMessage: (data: { ask?: string }) => {
        if (data.ask !== undefined) this.asked++;
        for (const other of this.#channels) {
          if (other === channel) continue;
          const delay = Math.random() * 3;
          const before = sent.get(other) ?? Promise.resolve();
          sent.set(
            other,
            Promise.all([before, Bun.sleep(delay)]).then(() => other.onmessage?.({ data } as never)),
          );
        }
      },
    };
    this.#channels.add(channel);
    return channel;
  }
}

/** A server whose events have rising numbers, and which each stream goes on with from where its client was. */
export class Server {
  readonly #events: ServerSentEvent[] = [];
  readonly #streams = new Set<() => void>();
  up = true;

  get streams(): number {
    return this.#streams.size;
  }

  publish(): string {
    const id = String(this.#events.length + 1).padStart(6, "0");
    this.#events.push({ id, event: "", data: `event ${id}` });
    for (const send of this.#streams) send();
    return id;
  }

  /** Hands over what is new, until the signal aborts or the server goes down. */
  async read(last: string, signal: AbortSignal, take: (group: ServerSentEvent[]) => void): Promise<void> {
    if (!this.up) return;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    let at = last === "" ? this.#events.length : Number(last);
    const marker = last === "" ? [{ id: String(at).padStart(6, "0"), event: "", data: "" }] : [];
    take([{ id: undefined, event: "reef", data: "hello" }, ...marker]);
    const send = () => {
      if (!this.up) return end();
      const group = this.#events.slice(at);
      at = this.#events.length;
      if (group.length > 0) take(group);
    };
    this.#streams.add(send);
    signal.addEventListener("abort", () => end());
    // What was missed takes its time.
    await Bun.sleep(1);
    send();
    await ended;
    this.#streams.delete(send);
  }

  stop(): void {
    this.up = false;
    for (const send of this.#streams) send();
  }
}

/** Everything that an open tab has. */
export class OpenTab implements Tab {
  readonly seen: string[] = [];
  resets = 0;
  joined = 0;
  state: "live" | "lost" | "connecting" = "connecting";
  readonly #recent = new Recent();
  readonly #server: Server;
  readonly #end = new AbortController();
  readonly #channel: Channel;
  readonly ended: Promise<void>;
  #frozen = false;

  constructor(server: Server, locks: Locks, air: Air, times = TIMES) {
    this.#server = server;
    this.#channel = air.open();
    this.ended = share(this, this.#end.signal, { locks, channel: this.#channel }, times);
  }

  async hold(signal: AbortSignal, tell: (news: News) => void): Promise<void> {
    while (!signal.aborted) {
      await this.#server.read(this.#recent.last, signal, (group) => {
        if (this.#frozen || signal.aborted) return;
        tell({ group });
        this.take(group);
      });
      if (signal.aborted) return;
      this.lost();
      tell({ lost: 1 });
      await Bun.sleep(5);
    }
  }

  isOver = () => false;
  last = () => this.#recent.last;

  placeAfter(last: string): Place | undefined {
    if (this.state !== "live") return undefined;
    return { boot: "", feed: true, last: this.#recent.last, missed: this.#recent.after(last) };
  }

  join({ last, missed }: Place): void {
    this.joined++;
    this.state = "live";
    if (this.#recent.last === "" || !missed) this.#recent.begin(last);
    if (missed) this.take(missed);
    else this.resets++;
  }

  take(group: ServerSentEvent[]): void {
    for (const event of group.filter((each) => this.#recent.add(each))) {
      if (event.event === "reef") this.state = "live";
      else if (event.data !== "") this.seen.push(event.id as string);
    }
  }

  lost(): void {
    this.state = "lost";
  }

  /** As a browser does with a tab that nobody sees: it keeps the lock, and hears and says nothing. */
  freeze(): void {
    this.#frozen = true;
    this.#channel.onmessage = null;
    this.#channel.postMessage = () => undefined;
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.ended;
  }
}
