import type { Context } from "hono";
import { agentNameOf } from "../../../src/core/agent-name.js";

/** Who acts: whom the request names, else the agent whose client sent it. */
export function actorOf(c: Context, named?: string): string {
  return named ?? agentNameOf(c.req.raw)?.slice(0, 100) ?? "somebody";
}
