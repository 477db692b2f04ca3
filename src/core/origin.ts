/** The origin under which a client reaches this server. */

/**
 * The origin of this server as a client sees it, respecting `X-Forwarded-Proto` of a proxy that terminates TLS.
 *
 * @example
 * originOf(new Request("http://reef.example:3000/board")); // "http://reef.example:3000"
 */
export function originOf(request: Request): string {
  const { protocol, host } = new URL(request.url);
  const secure = protocol === "https:" || request.headers.get("x-forwarded-proto") === "https";
  return `${secure ? "https" : "http"}://${host}`;
}
