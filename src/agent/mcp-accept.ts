/** Adjusts `Accept` headers for the MCP library. */

/** The media types that the MCP library requires in `Accept`, each by name. */
const KINDS = ["application/json", "text/event-stream"];

/** Whether an `Accept` header covers a media type; the most specific range decides (RFC 9110, 12.5.1). */
function accepts(header: string, type: string): boolean {
  const ranges = header.split(",").map((range) => range.split(";").map((part) => part.trim().toLowerCase()));
  for (const name of [type, type.replace(/\/.*/, "/*"), "*/*"]) {
    const range = ranges.find(([first]) => first === name);
    if (range) return !range.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  }
  return false;
}

/**
 * Returns the request with both media types by name if it accepts them in another form, or has no `Accept`
 * header.
 */
export function acceptingByName(request: Request): Request {
  const header = request.headers.get("accept") ?? "*/*";
  if (KINDS.every((kind) => header.includes(kind)) || !KINDS.every((kind) => accepts(header, kind))) {
    return request;
  }
  const headers = new Headers(request.headers);
  headers.set("accept", KINDS.join(", "));
  return new Request(request, { headers });
}
