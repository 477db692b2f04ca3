// Plain Hono with the same bearer check and routes: what the framework itself costs.
import { Hono } from "hono";
import { bearerAuthenticator } from "../../src/core/auth.js";
import { serveBench } from "../lib.js";

const authenticate = bearerAuthenticator("bench-token");
const app = new Hono();
app.get("/svc-0/items", (c) => c.json({ ok: true }));
app.post("/svc-0/items", async (c) => {
  const body = await c.req.json();
  if (typeof body?.text !== "string") return c.json({ error: "text must be a string" }, 400);
  return c.json({ length: body.text.length });
});

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request) =>
    authenticate(request) ? app.fetch(request) : Response.json({ error: "unauthorized" }, { status: 401 }),
});
serveBench(server.port as number);
