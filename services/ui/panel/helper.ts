/** What panels find as `window.Reef`, so that their authors need not write it again. */
import { type Seen, whenLongUnseen, whenSeen } from "../seen.js";
import { readEvents } from "../server-sent-events.js";
import type { Tell } from "./voice.js";

export interface PanelEvent {
  id: string;
  type: string;
  source: string;
  content: string;
  [field: string]: unknown;
}

/** The helper as a panel sees it. */
export interface PanelHelper {
  /** The panel's service. */
  readonly name: string;
  /** Makes a text safe inside HTML, in content and in quoted attributes. */
  escape(text: unknown): string;
  /**
   * Calls the panel's own service: `api("GET", "/board/tasks")`. Resolves with the decoded JSON (or text) of a 2xx
   * reply; otherwise rejects with an Error that has the server's message and a `status`.
   */
  api(method: string, path: string, body?: unknown): Promise<unknown>;
  /**
   * Follows a stream of server-sent events and goes on after breaks where it was. `onEvent` gets the decoded data
   * of each event. Returns the function that ends it.
   */
  stream(path: string, onEvent: (event: PanelEvent) => void, options?: StreamOptions): () => void;
  /** Shows a short message in the dashboard. */
  toast(text: string, kind?: "info" | "error"): void;
}

export interface StreamOptions {
  /** Hears `true` when connected and `false` when not. */
  onState?: (connected: boolean) => void;
  /** Called when the stream's place is gone and everything should be loaded anew. */
  onReset?: () => void;
}

interface Parts {
  name: string;
  api: string;
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  tell: Tell;
  /** Whether the panel is seen, and when that changes. */
  page: Seen;
  sleep?: (ms: number) => Promise<void>;
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const RETRY_MS = 2000;

export function createHelper({ name, api, fetch, tell, page, sleep = pause }: Parts): PanelHelper {
  const escapeHtml = (text: unknown) =>
    String(text ?? "").replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);

  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.headers = { "content-type": "application/json" };
      init.body = JSON.stringify(body);
    }
    const reply = await fetch(api + path, init);
    const text = await reply.text();
    const data = decode(text);
    if (reply.ok) return data;
    const said = (data as { error?: unknown } | null)?.error;
    const message = typeof said === "string" ? said : `the server returned ${reply.status}`;
    throw Object.assign(new Error(message), { status: reply.status });
  };

  const stream: PanelHelper["stream"] = (path, onEvent, { onState, onReset } = {}) => {
    const ended = new AbortController();
    let lastId = "";
    const once = async (signal: AbortSignal) => {
      const headers: Record<string, string> = lastId === "" ? {} : { "last-event-id": lastId };
      const reply = await fetch(api + path, { headers, signal });
      if (!reply.ok || !reply.body) throw new Error(`the server returned ${reply.status}`);
      onState?.(true);
      for await (const { id, event, data } of readEvents(reply.body)) {
        if (id !== undefined) lastId = id;
        if (event === "reset") onReset?.();
        else if (data !== "" && event === "") onEvent(JSON.parse(data));
      }
    };
    const run = async () => {
      while (!ended.signal.aborted) {
        await whenSeen(page);
        if (ended.signal.aborted) return;
        const attempt = new AbortController();
        const end = () => attempt.abort();
        ended.signal.addEventListener("abort", end);
        const stopLooking = whenLongUnseen(page, end);
        try {
          await once(attempt.signal);
        } catch (error) {
          if (!attempt.signal.aborted) console.warn(`the stream ${path} broke:`, error);
        } finally {
          stopLooking();
          ended.signal.removeEventListener("abort", end);
        }
        if (ended.signal.aborted) return;
        onState?.(false);
        await sleep(RETRY_MS);
      }
    };
    void run();
    return () => ended.abort();
  };

  const toast = (text: string, kind = "info") => tell({ reef: "toast", text: String(text), kind });
  return { name, escape: escapeHtml, api: call, stream, toast };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function decode(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every reply is JSON; the text is what there is.
    return text;
  }
}
