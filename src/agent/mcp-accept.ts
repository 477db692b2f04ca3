/** The kinds of replies that the MCP library wants its clients to accept, each by its own name. */
const KINDS = ["application/json", "text/event-stream"];

/** Whether an `Accept` header covers a media type; the most exact range decides (RFC 9110, 12.5.1). */
function accepts(header: string, type: string): boolean {
  const ranges = header.split(",").map((range) => range.split(";").map((part) => part.trim().toLowerCase()));
  for (const name of [type, type.replace(/\/.*/, "/*"), "*/*"]) {
    const range = ranges.find(([first]) => first === name);
    if (range) return !range.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  }
  return false;
}

/** The request; with both kinds by name when it accepts them by another spelling, or says nothing about it. */
export function acceptingByName(request: Request): Request {
  const header = request.headers.get("accept") ?? "*/*";
  if (KINDS.every((kind) => header.includes(kind)) || !KINDS.every((kind) => accepts(header, kind))) {
    return request;
  }
  const headers = new Headers(request.headers);
  headers.set("accept", KINDS.join(", "));
  return new Request(request, { headers });
}
