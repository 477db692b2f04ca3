/** The connection to the server: what comes over it, whether it stands, and what was missed. */
import { signal } from "@preact/signals";
import type { LiveMessage } from "../../live.js";
import { whenLongUnseen, whenSeen } from "../../seen.js";
import type { ServerSentEvent } from "../../server-sent-events.js";
import { strings as t } from "../../strings.js";
import { sessionOver } from "../api.js";
import { holdConnection } from "../connection.js";
import { duration } from "../format.js";
import { Recent } from "../recent.js";
import { browser, share, type Tab } from "../tabs.js";
import { notify } from "./notices.js";

/** An event of the tree, as it comes over the wire. */
export interface FeedEvent {
  id: string;
  parentId: string | null;
  type: string;
  source: string;
  content: string;
  time: string;
  [field: string]: unknown;
}

export type LinkState = "connecting" | "live" | "lost";

export const link = signal<LinkState>("connecting");
/** When the connection was lost, in milliseconds. */
export const lostAt = signal(0);
/** The time of the latest event, 0 when there is none, undefined as long as that is not known. */
export const lastEventAt = signal<number | undefined>(undefined);
/** Whether the server has an event feed that sends. */
export const feedHere = signal<boolean | undefined>(undefined);
/** Counts connections: what was loaded before may be out of date after each. */
export const connections = signal(0);

type MessageListener = (message: LiveMessage) => void;
type EventListener = (events: FeedEvent[]) => void;

const messageListeners = new Set<MessageListener>();
const eventListeners = new Set<EventListener>();
const resetListeners = new Set<() => void>();

/** Hears what happens to services, deploys and installations. Returns the function that ends it. */
export const onMessage = (listener: MessageListener) => subscribe(messageListeners, listener);
/** Hears events of the feed in groups, oldest first. */
export const onEvents = (listener: EventListener) => subscribe(eventListeners, listener);
/** Hears that events were missed which cannot be had any more from the stream. */
export const onReset = (listener: () => void) => subscribe(resetListeners, listener);

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A tab that cannot share its connection lets it go so soon after it was seen last: there may be many like it. */
const ALONE_MS = 5000;
/** After a connection is back, events that come within this time were missed. */
const CATCH_UP_MS = 1500;

const recent = new Recent();
let boot = "";
let caughtUp = 0;
let missedSome = false;

function take(group: ServerSentEvent[]): void {
  const events: FeedEvent[] = [];
  for (const message of group.filter((each) => recent.add(each))) {
    const { event, data } = message;
    if (event === "reef") receive(JSON.parse(data) as LiveMessage);
    else if (event === "reset") reset();
    else if (data !== "") events.push(JSON.parse(data) as FeedEvent);
  }
  const latest = events.at(-1);
  if (!latest) return;
  lastEventAt.value = Date.parse(latest.time);
  caughtUp += events.length;
  for (const listener of eventListeners) listener(events);
}

function reset(): void {
  missedSome = true;
  for (const listener of resetListeners) listener();
}

function receive(message: LiveMessage): void {
  if (message.kind === "hello") welcome(message.boot);
  if (message.kind === "ping") feedHere.value = message.feed;
  for (const listener of messageListeners) listener(message);
}

function welcome(newBoot: string): void {
  const wasLost = link.value === "lost";
  const restarted = boot !== "" && newBoot !== boot;
  boot = newBoot;
  link.value = "live";
  connections.value++;
  if (!wasLost) return;
  caughtUp = 0;
  missedSome = false;
  const away = duration(Date.now() - lostAt.value);
  setTimeout(
    () => notify("good", t.link.back(away, restarted, missedSome ? undefined : caughtUp)),
    CATCH_UP_MS,
  );
}

function lost(since = Date.now()): void {
  if (link.value === "lost") return;
  link.value = "lost";
  lostAt.value = since;
}

const tab: Tab = {
  hold: (signal, tell) => {
    if (link.value === "live") link.value = "connecting";
    return holdConnection(
      {
        last: () => recent.last,
        take(group) {
          tell({ group });
          take(group);
        },
        lost() {
          lost();
          tell({ lost: lostAt.value });
        },
      },
      signal,
    );
  },
  isOver: () => sessionOver.value,
  last: () => recent.last,
  placeAfter: (last) =>
    link.value === "live"
      ? { boot, feed: feedHere.value, last: recent.last, missed: recent.after(last) }
      : undefined,
  join({ boot, feed, last, missed }) {
    const isFresh = recent.last === "";
    feedHere.value = feed;
    welcome(boot);
    if (isFresh || !missed) recent.begin(last);
    if (!missed) reset();
    else take(missed);
  },
  take,
  lost,
};

/** Connects, and connects again whenever the connection is gone. Never returns while the session lasts. */
export async function startLive(): Promise<void> {
  while (!sessionOver.value) {
    // A tab that was opened in the background has what it shows without a connection.
    await whenSeen(document);
    const stay = new AbortController();
    const shared = browser();
    const stops = [
      whenLongUnseen(document, () => stay.abort(), shared ? undefined : ALONE_MS),
      sessionOver.subscribe((isOver) => isOver && stay.abort()),
    ];
    try {
      if (shared) await share(tab, stay.signal, shared);
    } catch (error) {
      console.debug("cannot share the connection:", error);
    }
    if (!stay.signal.aborted) await tab.hold(stay.signal, () => undefined);
    for (const stop of stops) stop();
    // Nothing is wrong with a connection that nobody needed.
    if (!sessionOver.value) link.value = "connecting";
  }
  lost();
}
