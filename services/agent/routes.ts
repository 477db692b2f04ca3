import { Type } from "@sinclair/typebox";
import { Hono } from "hono";
import { bootstrapSource, callerOf, executeTool } from "../../src/agent/index.js";
import { messageOf, ReefError } from "../../src/core/errors.js";
import { withEtag } from "../../src/core/etag.js";
import { keepOpen } from "../../src/core/keep-open.js";
import { readBody } from "../../src/core/validate.js";
import type { AgentSide } from "./agent-side.js";

const JAVASCRIPT = { "content-type": "text/javascript; charset=utf-8" };

const Call = Type.Object(
  { name: Type.String({ maxLength: 500 }), arguments: Type.Optional(Type.Unknown()) },
  { additionalProperties: false },
);

export function createRoutes(side: AgentSide): Hono {
  const routes = new Hono();

  routes.get("/extension.js", async (c) => {
    const services = c.req.query("services");
    const category = c.req.query("category") || undefined;
    const choice = {
      services: services
        ?.split(",")
        .map((name) => name.trim())
        .filter(Boolean),
      category,
    };
    const { builder, catalog } = side.parts;
    await catalog.whole();
    const { code, hash } = await builder.current(choice);
    return withEtag(c.req.raw, code, hash, JAVASCRIPT);
  });

  routes.get("/extension", async (c) => {
    const { builder, catalog } = side.parts;
    await catalog.whole();
    const { code, hash, services, leftOut, problems, builtInMs } = await builder.current();
    const bytes = Buffer.byteLength(code);
    return c.json({ hash, bytes, builtInMs, services, leftOut, problems });
  });

  routes.get("/extension/bootstrap.js", async (c) => {
    const code = await bootstrapSource();
    const hash = new Bun.CryptoHasher("sha256").update(code).digest("hex");
    return withEtag(c.req.raw, code, hash, JAVASCRIPT);
  });

  routes.post("/extension/call", async (c) => {
    const { name, arguments: input } = await readBody(c, Call);
    const { ctx, catalog } = side.parts;
    const tool = await catalog.get(name);
    try {
      const { content } = await executeTool(ctx, tool, input, callerOf(c.req.raw, "somebody"));
      return c.json({ content });
    } catch (error) {
      if (error instanceof ReefError) throw error;
      return c.json({ error: messageOf(error) }, 422);
    }
  });

  routes.all("/mcp", (c) => {
    // A tool may say nothing for long.
    keepOpen(c.req.raw, c.env);
    return side.parts.mcp.fetch(c.req.raw);
  });

  return routes;
}
