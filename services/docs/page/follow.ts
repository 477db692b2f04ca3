/** Keeps the page in step with the services. */
import type { Docs } from "../model.js";

export interface Feed {
  docs: Docs;
  trouble?: string;
}

const EVERY_MS = 5000;

let known: { docs: Docs; version: string } | undefined;

/** The documentation as of now; sent again only when it has changed. Rejects when there is no answer. */
export async function loadDocs(): Promise<{ docs: Docs; version: string }> {
  const headers: Record<string, string> = known ? { "If-None-Match": `"${known.version}"` } : {};
  const reply = await fetch("/docs", { headers, cache: "no-store", credentials: "omit" });
  if (reply.status === 304 && known) return known;
  if (!reply.ok) throw new Error(`the server returned ${reply.status}`);
  const version = (reply.headers.get("etag") ?? "").replaceAll('"', "");
  known = { docs: (await reply.json()) as Docs, version };
  return known;
}

/** Asks again while somebody looks, and as soon as somebody looks again. Returns what ends it. */
export function followDocs(report: (feed: Feed) => void): () => void {
  let answeredAt = new Date();
  const look = async () => {
    if (document.visibilityState === "hidden") return;
    try {
      const { docs } = await loadDocs();
      answeredAt = new Date();
      report({ docs });
    } catch {
      // Tried again shortly; until then the page says how old it is.
      if (known) {
        const trouble = `The server is not responding. Last update: ${answeredAt.toLocaleTimeString()}.`;
        report({ docs: known.docs, trouble });
      }
    }
  };
  const timer = setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
  };
}
