/** Replies that callers may keep until something changes. */

/** A body that is sent again only when it differs from what the caller has (RFC 9110, 13.1.2). */
export function withEtag(
  request: Request,
  body: string,
  version: string,
  headers: Record<string, string>,
): Response {
  const etag = `"${version}"`;
  const all = { "cache-control": "no-cache", "x-content-type-options": "nosniff", ...headers, etag };
  const known = request.headers.get("if-none-match")?.split(",") ?? [];
  const tags = known.map((tag) => tag.trim().replace(/^W\//, ""));
  if (tags.includes(etag) || tags.includes("*")) return new Response(null, { status: 304, headers: all });
  return new Response(body, { headers: all });
}
