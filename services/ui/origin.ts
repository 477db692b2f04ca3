import type { Context } from "hono";
import { originOf as originOfRequest } from "../../src/core/origin.js";

/** Below what origin a browser knows this server. */
export const originOf = (c: Context): string => originOfRequest(c.req.raw);
