/**
 * One connection for all tabs of a browser, which keeps few to a host. The tab that has the lock leads: it has the
 * connection and tells the others what comes. They follow it, each from its own place in the events, and take over when
 * it closes, leaves, or says nothing for long.
 */
import type { ServerSentEvent } from "../server-sent-events.js";

/** Of the lock and the channel; tabs that speak otherwise have another. */
const NAME = "reef-live-1";

const TIMES = {
  /** The leader says so often that it is there. */
  beat: 5000,
  /** After so long without a word the others ask whether it is. */
  silence: 15_000,
  /** It answers within this time, or is taken for frozen. */
  answer: 3000,
};

/** Where the connection stands, told to a tab that begins to follow. */
export interface Place {
  boot: string;
  feed: boolean | undefined;
  /** The latest event so far. */
  last: string;
  /** The events since the place of the one who asks; undefined when they are not known. */
  missed: ServerSentEvent[] | undefined;
}

/** What a leader tells everybody: what came, or since when there is no connection. */
export interface News {
  group?: ServerSentEvent[];
  lost?: number;
}

type Message =
  | { ask: string; after: string }
  | ({ ask?: undefined; by: string; to?: string; place?: Place } & News);

/** What a tab does with the connection, its own or another's. */
export interface Tab {
  /** Has the connection, as far as it can be had. Resolves when the signal aborts or the session is over. */
  hold(signal: AbortSignal, tell: (news: News) => void): Promise<void>;
  /** Whether the session is over, and nobody is to connect again. */
  isOver(): boolean;
  /** Its latest event. */
  last(): string;
  /** For another tab; undefined while there is no connection. */
  placeAfter(last: string): Place | undefined;
  join(place: Place): void;
  take(group: ServerSentEvent[]): void;
  lost(since: number): void;
}

/** What of the browser it takes to share. */
export interface Browser {
  locks: { request(name: string, options: LockOptions, lead: () => Promise<void>): Promise<unknown> };
  channel: Pick<BroadcastChannel, "postMessage" | "close"> & {
    onmessage: ((event: MessageEvent<Message>) => unknown) | null;
  };
}

/** What this browser has of it; not every one does, and over plain HTTP under a name none. */
export function browser(): Browser | undefined {
  try {
    return navigator.locks && { locks: navigator.locks, channel: new BroadcastChannel(NAME) };
  } catch (error) {
    console.debug("tabs cannot communicate:", error);
    return undefined;
  }
}

/** Leads or follows until the signal aborts or the session is over. Rejects when tabs cannot share here. */
export async function share(
  tab: Tab,
  signal: AbortSignal,
  { locks, channel }: Browser,
  times = TIMES,
): Promise<void> {
  const me = String(Math.random());
  /** Whom this tab follows. */
  let followed = "";
  /** Whom it has asked for its place, as long as there is no answer; and its latest question. */
  let asked = "";
  let question = "";
  let leading: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const say = (message: Message) => channel.postMessage(message);
  const ask = (leader: string) => {
    asked = leader;
    question = String(Math.random());
    say({ ask: question, after: tab.last() });
  };
  const wait = (ms: number, then: () => void) => {
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(then, ms);
  };
  const doubt = () => {
    ask("");
    // Not all at the same time.
    wait(times.answer * (1 + Math.random() / 2), () => void request({ steal: true }).catch(console.debug));
  };

  channel.onmessage = ({ data: message }) => {
    if (message.ask !== undefined) {
      const place = leading && tab.placeAfter(message.after);
      if (leading) say({ by: me, ...(place && { to: message.ask, place }) });
      return;
    }
    if (leading) return;
    wait(times.silence, doubt);
    const { by, to, place, group, lost } = message;
    if (place) {
      // An answer to an earlier question may be of a leader that is none any more.
      if (to !== question || by === followed) return;
      followed = by;
      asked = "";
      tab.join(place);
    } else if (group) {
      // What comes from another leader goes on from that one's place.
      if (by === followed) tab.take(group);
      else if (by !== asked) ask(by);
    } else {
      asked = "";
      if (lost !== undefined) tab.lost(lost);
    }
  };

  const lead = async () => {
    if (signal.aborted) return;
    const own = new AbortController();
    const leave = () => own.abort();
    signal.addEventListener("abort", leave);
    leading = own;
    followed = "";
    clearTimeout(timer);
    const beat = setInterval(() => say({ by: me }), times.beat);
    try {
      await tab.hold(own.signal, (news) => say({ by: me, ...news }));
    } finally {
      clearInterval(beat);
      signal.removeEventListener("abort", leave);
      if (leading === own) {
        leading = undefined;
        wait(times.answer, doubt);
      }
    }
  };

  /** Resolves when this tab has led, and leads no more. */
  const request = async (options: LockOptions) => {
    try {
      await locks.request(NAME, options, lead);
    } catch (error) {
      leading?.abort();
      // This tab has left, or another took it for frozen.
      if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
    }
  };

  try {
    doubt();
    while (!signal.aborted && !tab.isOver()) await request({ signal });
  } finally {
    clearTimeout(timer);
    channel.onmessage = null;
    channel.close();
  }
}
