/** Reading server-sent events in the browser, where `fetch` is used so that headers can be sent along. */

/** One event; an empty `event` is the ordinary kind. A comment has neither id nor data. */
export interface ServerSentEvent {
  id: string | undefined;
  event: string;
  data: string;
}

/** The events of a text that ends with a blank line. */
export function parseEvents(text: string): ServerSentEvent[] {
  return text.split("\n\n").flatMap((block) => {
    if (block.trim() === "") return [];
    const parsed: ServerSentEvent = { id: undefined, event: "", data: "" };
    const data: string[] = [];
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "id") parsed.id = value;
      else if (field === "event") parsed.event = value;
      else if (field === "data") data.push(value);
    }
    parsed.data = data.join("\n");
    return parsed.id === undefined && data.length === 0 ? [] : [parsed];
  });
}

/** The events of a stream, in groups as they arrive. Ends with the stream. */
export async function* readEventGroups(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent[]> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true }).replaceAll("\r", "");
      const end = rest.lastIndexOf("\n\n") + 2;
      if (end < 2) continue;
      const whole = rest.slice(0, end);
      rest = rest.slice(end);
      const events = parseEvents(whole);
      if (events.length > 0) yield events;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Each event of a stream. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  for await (const events of readEventGroups(body)) yield* events;
}
