/** Sends a request to this server and reports the reply as it arrives. */
import type { BuiltRequest } from "./request.js";

export interface Outcome {
  state: "sending" | "streaming" | "done" | "failed";
  status?: number;
  statusText?: string;
  /** Until the headers had arrived. */
  milliseconds?: number;
  headers?: Array<[name: string, value: string]>;
  text?: string;
  /** Why there is no reply, or no more of it. */
  note?: string;
}

/** More than this is not shown. */
const SHOWN_CHARACTERS = 256 * 1024;

const TEXT = /^(text\/|application\/(json|xml|javascript|yaml|[\w.-]+\+(json|xml)))/i;

/** Resolves when the reply is complete or `signal` has aborted; never rejects. */
export async function send(
  request: BuiltRequest,
  token: string | undefined,
  signal: AbortSignal,
  report: (outcome: Outcome) => void,
): Promise<void> {
  const headers = { ...request.headers, ...(token && { Authorization: `Bearer ${token}` }) };
  let outcome: Outcome = { state: "sending" };
  const update = (change: Outcome) => {
    outcome = { ...outcome, ...change };
    report(outcome);
  };
  update(outcome);
  const startedAt = performance.now();
  try {
    const { method, url, body } = request;
    const reply = await fetch(url, {
      method,
      headers,
      body,
      signal,
      redirect: "manual",
      credentials: "omit",
    });
    update({
      state: "streaming",
      status: reply.status,
      statusText: reply.type === "opaqueredirect" ? "redirect (not followed)" : reply.statusText,
      milliseconds: Math.round(performance.now() - startedAt),
      headers: [...reply.headers],
    });
    const note = await readBody(reply, (text) => update({ state: "streaming", text }));
    update({ state: "done", text: pretty(outcome.text ?? "", reply), ...(note && { note }) });
  } catch (error) {
    const stopped = signal.aborted;
    const reason = error instanceof Error ? error.message : String(error);
    update({ state: stopped ? "done" : "failed", note: stopped ? "Cancelled." : `No response: ${reason}` });
  }
}

/** Reads to the end or to the limit; returns what there is to say about the rest. */
async function readBody(reply: Response, show: (text: string) => void): Promise<string | undefined> {
  const type = reply.headers.get("content-type") ?? "";
  if (!TEXT.test(type)) {
    const { size } = await reply.blob();
    return size > 0 ? `${size} bytes of ${type || "unknown type"}.` : "No content.";
  }
  const reader = reply.body?.getReader();
  if (!reader) return undefined;
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: !done });
    if (done || text.length > SHOWN_CHARACTERS) {
      show(text.slice(0, SHOWN_CHARACTERS));
      if (done) return undefined;
      await reader.cancel();
      return `Showing the first ${SHOWN_CHARACTERS} characters.`;
    }
    show(text);
  }
}

function pretty(text: string, reply: Response): string {
  if (!/json/i.test(reply.headers.get("content-type") ?? "")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Cut off or not JSON after all: shown as it came.
    return text;
  }
}
