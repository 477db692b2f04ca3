import type { Context } from "hono";

/** Who acts: whom the request names, else the agent whose client sent it. */
export function actorOf(c: Context, named?: string): string {
  return named ?? (c.req.header("x-reef-agent-name")?.slice(0, 100) || "somebody");
}
