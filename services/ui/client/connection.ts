/** A connection to the server for what happens there, which is made again whenever it breaks. */
import { readEventGroups, type ServerSentEvent } from "../server-sent-events.js";
import { HEADERS, sessionOver } from "./api.js";

/** Nothing for so long, pings included, means that the connection is dead. */
const SILENCE_MS = 25_000;
const WAITS_MS = [300, 500, 1000, 2000, 4000];

interface Connected {
  /** The id of the latest event. */
  last(): string;
  take(group: ServerSentEvent[]): void;
  /** Called for each connection that broke, and each that could not be made. */
  lost(): void;
}

/** Resolves after a time, or before: when somebody looks at the page, when there is a network again, when it is over. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const ended = new AbortController();
    const end = () => {
      clearTimeout(timer);
      ended.abort();
      resolve();
    };
    const timer = setTimeout(end, ms);
    const options = { signal: ended.signal };
    document.addEventListener("visibilitychange", () => !document.hidden && end(), options);
    addEventListener("online", end, options);
    signal.addEventListener("abort", end, options);
  });
}

/** One connection. Resolves with whether anything came. */
async function once({ last, take }: Connected, signal: AbortSignal): Promise<boolean> {
  const own = new AbortController();
  const stop = () => own.abort();
  signal.addEventListener("abort", stop);
  let watchdog = setTimeout(stop, SILENCE_MS);
  let came = false;
  try {
    const at = last();
    const headers = at === "" ? HEADERS : { ...HEADERS, "last-event-id": at };
    const reply = await fetch("/ui/live", { headers, signal: own.signal });
    if (reply.status === 401) sessionOver.value = true;
    if (!reply.ok || !reply.body) return false;
    for await (const group of readEventGroups(reply.body)) {
      clearTimeout(watchdog);
      watchdog = setTimeout(stop, SILENCE_MS);
      came = true;
      take(group);
    }
  } catch (error) {
    console.debug("the connection broke:", error);
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener("abort", stop);
  }
  return came;
}

/** Connects again and again until the signal aborts or the session is over. */
export async function holdConnection(to: Connected, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted && !sessionOver.value) {
    failures = (await once(to, signal)) ? 0 : failures + 1;
    if (signal.aborted) return;
    to.lost();
    if (!sessionOver.value) await pause(WAITS_MS[Math.min(failures, WAITS_MS.length - 1)] ?? 4000, signal);
  }
}
