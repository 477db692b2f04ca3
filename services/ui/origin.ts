import type { Context } from "hono";

/** Below what origin a browser knows this server. A proxy in front may add TLS and says so. */
export function originOf(c: Context): string {
  const { protocol, host } = new URL(c.req.url);
  const secure = protocol === "https:" || c.req.header("x-forwarded-proto") === "https";
  return `${secure ? "https" : "http"}://${host}`;
}
