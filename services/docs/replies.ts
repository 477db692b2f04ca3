/** Replies that callers may keep until something changes. */

/** A body that is sent again only when it differs from what the caller has. */
export function withEtag(
  request: Request,
  body: string,
  version: string,
  headers: Record<string, string>,
): Response {
  const etag = `"${version}"`;
  const all = { "cache-control": "no-cache", "x-content-type-options": "nosniff", ...headers, etag };
  const known = request.headers.get("if-none-match")?.split(",") ?? [];
  if (known.some((tag) => tag.trim().replace(/^W\//, "") === etag)) {
    return new Response(null, { status: 304, headers: all });
  }
  return new Response(body, { headers: all });
}

/** Whether a caller asks for JSON rather than for a page. */
export function prefersJson(request: Request): boolean {
  const accept = request.headers.get("accept") ?? "";
  return accept.includes("application/json") && !accept.includes("text/html");
}

/**
 * The page runs its own script only and talks to this server only: what a service writes into its
 * documentation cannot load, send or frame anything.
 */
export const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};
