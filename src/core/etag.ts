/** Replies with entity tags, which clients can revalidate. */

/**
 * A reply that is 304 when the caller's `If-None-Match` matches `version` (RFC 9110, 13.1.2).
 *
 * @example
 * routes.get("/list", (c) => withEtag(c.req.raw, JSON.stringify(items), String(revision), { "content-type": "application/json" }));
 */
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
