/** Whether this is what `Bun.serve` hands over beside a request, and not a test's stand-in. */
function hasTimeout(server: unknown): server is { timeout(request: Request, seconds: number): void } {
  return typeof server === "object" && server !== null && "timeout" in server;
}

/**
 * Keeps Bun from cutting the connection of this request when nothing is sent on it for `REEF_IDLE_TIMEOUT`: for
 * replies that take long, or are quiet for long.
 *
 * @param server The `Bun.serve` server that the request came from: `c.env` in a route.
 */
export function keepOpen(request: Request, server: unknown): void {
  if (hasTimeout(server)) server.timeout(request, 0);
}
