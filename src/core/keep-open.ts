/** Disables the idle timeout of a connection. */

/** Whether a value is a `Bun.serve` server and not a test's stand-in. */
function hasTimeout(server: unknown): server is { timeout(request: Request, seconds: number): void } {
  return typeof server === "object" && server !== null && "timeout" in server;
}

/**
 * Disables `REEF_IDLE_TIMEOUT` for the connection of a request: for replies that take long, or are silent for
 * long.
 *
 * @param server The `Bun.serve` server that received the request: `c.env` in a route.
 * @example
 * routes.get("/slow", (c) => {
 *   keepOpen(c.req.raw, c.env);
 *   return slowReply(c);
 * });
 */
export function keepOpen(request: Request, server: unknown): void {
  if (hasTimeout(server)) server.timeout(request, 0);
}
