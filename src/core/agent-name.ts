/** Whose request it is: the header that the client of an agent sends. */

export const AGENT_NAME = "x-reef-agent-name";

/** Headers carry visible ASCII, and spaces inside; everything else is percent-encoded, and what that is marked with. */
export function headerText(value: string): string {
  return value.replace(/^ +| +$|[^\x20-\x24\x26-\x7e]+/gu, (text) => encodeURIComponent(text.toWellFormed()));
}

/**
 * The name of the agent that sent a request, as the agent says it; undefined when the request names none. Control
 * characters stay encoded: names are shown in terminals and logs.
 */
export function agentNameOf(request: Request): string | undefined {
  const text = request.headers.get(AGENT_NAME);
  return text ? decoded(text).replace(/\p{Cc}/gu, encodeURIComponent) : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Somebody sent it who does not encode.
    return text;
  }
}
