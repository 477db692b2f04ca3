/** Calls of the dashboard and of panels, dispatched inside the process. */
import type { Context } from "hono";
import { ReefError } from "../../src/core/errors.js";
import { keepOpen } from "../../src/core/keep-open.js";
import type { ServiceContext } from "../../src/core/types.js";

/** Headers that belong to the browser's connection or session, not to the call. */
const DROPPED = [
  "cookie",
  "authorization",
  "connection",
  "host",
  "origin",
  "referer",
  "x-reef-ui",
  "upgrade",
  "te",
];

/** Paths that would lead back to the dashboard or to logging in. */
const CLOSED = new Set(["ui", "auth"]);

/**
 * Passes a request on to `path` (with its leading slash, as it was sent) below this Reef. Bodies and replies are
 * streamed; nothing outside the process is ever reached.
 */
export async function forward(c: Context, ctx: ServiceContext, path: string): Promise<Response> {
  const first = path.split(/[/?]/)[1] ?? "";
  if (!path.startsWith("/") || CLOSED.has(decodeSafely(first).toLowerCase()))
    throw new ReefError("NOT_FOUND");
  const url = new URL(`http://reef.internal${path}`);
  if (url.host !== "reef.internal") throw new ReefError("BAD_REQUEST", "the path is outside the API");
  const headers = new Headers(c.req.raw.headers);
  for (const name of DROPPED) headers.delete(name);
  for (const name of [...headers.keys()]) if (name.startsWith("sec-")) headers.delete(name);
  const { method, body, signal } = c.req.raw;
  const hasBody = method !== "GET" && method !== "HEAD";
  const request = new Request(url, { method, headers, signal, body: hasBody ? body : undefined });
  // Deploys and streams may be silent for longer than connections are usually kept.
  keepOpen(c.req.raw, c.env);
  const reply = await ctx.dispatch(request, { trusted: true });
  // Replies are data. A document that comes through here must not run as part of the dashboard.
  const closed = new Response(reply.body, reply);
  closed.headers.delete("set-cookie");
  closed.headers.append("content-security-policy", "sandbox; default-src 'none'");
  return closed;
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A malformed escape names no service; the dispatcher answers 404 for it.
    return text;
  }
}

/** What follows `prefix` in the request's target, undecoded, with the query. */
export function rest(c: Context, prefix: string): string {
  const { url } = c.req.raw;
  const target = url.slice(url.indexOf("/", 8));
  return target.slice(prefix.length);
}
