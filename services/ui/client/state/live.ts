/** The connection to the server: what comes over it, whether it stands, and what was missed. */
import { signal } from "@preact/signals";
import type { LiveMessage } from "../../live.js";
import { whenLongUnseen, whenSeen } from "../../seen.js";
import { readEventGroups, type ServerSentEvent } from "../../server-sent-events.js";
import { strings as t } from "../../strings.js";
import { HEADERS, sessionOver } from "../api.js";
import { duration } from "../format.js";
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
/** The time of the latest event, or 0. */
export const lastEventAt = signal(0);
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

/** Nothing for so long, pings included, means that the connection is dead. */
const SILENCE_MS = 25_000;
const WAITS_MS = [300, 500, 1000, 2000, 4000];
/** After a connection is back, events that come within this time were missed. */
const CATCH_UP_MS = 1500;

let lastEventId = "";
let boot = "";
let caughtUp = 0;
let attempt: AbortController | undefined;
let wake: () => void = () => undefined;

function take(group: ServerSentEvent[]): void {
  const events: FeedEvent[] = [];
  for (const { id, event, data } of group) {
    if (id) lastEventId = id;
    if (event === "reef") receive(JSON.parse(data) as LiveMessage);
    else if (event === "reset") for (const listener of resetListeners) listener();
    else if (data !== "") events.push(JSON.parse(data) as FeedEvent);
  }
  const latest = events.at(-1);
  if (!latest) return;
  lastEventAt.value = Date.parse(latest.time);
  caughtUp += events.length;
  for (const listener of eventListeners) listener(events);
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
  const away = duration(Date.now() - lostAt.value);
  setTimeout(() => notify("good", t.link.back(away, restarted, caughtUp)), CATCH_UP_MS);
}

function lost(): void {
  if (link.value === "lost") return;
  link.value = "lost";
  lostAt.value = Date.now();
}

async function once(): Promise<void> {
  const own = new AbortController();
  attempt = own;
  const headers: Record<string, string> = { ...HEADERS };
  if (lastEventId !== "") headers["last-event-id"] = lastEventId;
  let watchdog = setTimeout(() => own.abort(), SILENCE_MS);
  try {
    const reply = await fetch("/ui/live", { headers, signal: own.signal });
    if (reply.status === 401) sessionOver.value = true;
    if (!reply.ok || !reply.body) return;
    for await (const group of readEventGroups(reply.body)) {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => own.abort(), SILENCE_MS);
      take(group);
    }
  } finally {
    clearTimeout(watchdog);
  }
}

/** Connects, and connects again whenever the connection is gone. Never returns while the session lasts. */
export async function startLive(): Promise<void> {
  whenLongUnseen(document, () => attempt?.abort());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) wake();
  });
  addEventListener("online", () => wake());
  let failures = 0;
  // A tab that was opened in the background has what it shows without a connection of its own.
  await whenSeen(document);
  while (!sessionOver.value) {
    const before = connections.value;
    try {
      await once();
    } catch (error) {
      console.debug("the connection broke:", error);
    }
    lost();
    failures = connections.value > before ? 0 : failures + 1;
    await whenSeen(document);
    const wait = WAITS_MS[Math.min(failures, WAITS_MS.length - 1)] ?? 4000;
    await new Promise<void>((resolve) => {
      wake = resolve;
      setTimeout(resolve, wait);
    });
  }
}
