/** Something that is loaded from the server, and loaded again when it may have changed. */
import { type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { isMissing, messageOf } from "../api.js";
import { connections, onMessage } from "./live.js";

export interface Resource<T> {
  /** What was loaded last; kept while a later load fails. */
  data: ReadonlySignal<T | undefined>;
  /** Why the latest load failed. */
  error: ReadonlySignal<unknown>;
  /** Loads anew; calls while one is under way share the next one. */
  load(): Promise<void>;
  /** Whether it is not there, or may turn out so. */
  mayBeAbsent(): boolean;
}

export function resource<T>(fetcher: () => Promise<T>): Resource<T> {
  const data = signal<T | undefined>(undefined);
  const error = signal<unknown>(undefined);
  let running: Promise<void> | undefined;
  let again: Promise<void> | undefined;
  const once = async () => {
    try {
      data.value = await fetcher();
      error.value = undefined;
    } catch (thrown) {
      error.value = thrown;
      console.debug("could not load:", messageOf(thrown));
    } finally {
      running = undefined;
    }
  };
  const load = (): Promise<void> => {
    if (!running) {
      running = once();
      return running;
    }
    again ??= running.then(() => {
      again = undefined;
      running = once();
      return running;
    });
    return again;
  };
  return { data, error, load, mayBeAbsent: () => running !== undefined || isMissing(error.peek()) };
}

/** A resource for as long as a page is shown; reloaded after each reconnection, and every `everyMs` if given. */
export function useResource<T>(key: string, fetcher: () => Promise<T>, everyMs?: number): Resource<T> {
  const made = useMemo(() => resource(fetcher), [key]);
  useEffect(() => {
    // Runs at once, and then after each new connection.
    const stop = connections.subscribe(() => void made.load());
    // What is not there, or may turn out so, is asked for again when services change.
    const stopChanges = onMessage(
      ({ kind }) => kind === "services" && made.mayBeAbsent() && void made.load(),
    );
    const again = () => !document.hidden && !made.mayBeAbsent() && void made.load();
    const timer = everyMs && setInterval(again, everyMs);
    return () => {
      stop();
      stopChanges();
      if (timer) clearInterval(timer);
    };
  }, [made, everyMs]);
  return made;
}
