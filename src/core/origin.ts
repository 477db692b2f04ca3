/** Below what origin a client knows this server. A proxy in front may add TLS and says so. */
export function originOf(request: Request): string {
  const { protocol, host } = new URL(request.url);
  const secure = protocol === "https:" || request.headers.get("x-forwarded-proto") === "https";
  return `${secure ? "https" : "http"}://${host}`;
}
