/** The header that names the agent that sends a request. */

/** The request header with the agent's name, percent-encoded by {@link headerText}. */
export const AGENT_NAME = "x-reef-agent-name";

/**
 * Encodes a text for a header: everything but printable ASCII, leading and trailing spaces, and `%` itself are
 * percent-encoded.
 */
export function headerText(value: string): string {
  return value.replace(/^ +| +$|[^\x20-\x24\x26-\x7e]+/gu, (text) => encodeURIComponent(text.toWellFormed()));
}

/**
 * The name that an agent gave itself in a request; undefined when there is none. Control characters stay
 * encoded, because names are shown in terminals and logs.
 *
 * @example
 * routes.post("/claim", (c) => c.json({ by: agentNameOf(c.req.raw) ?? "unknown" }));
 */
export function agentNameOf(request: Request): string | undefined {
  const text = request.headers.get(AGENT_NAME);
  return text ? decoded(text).replace(/\p{Cc}/gu, encodeURIComponent) : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Sent by a client that does not percent-encode.
    return text;
  }
}
