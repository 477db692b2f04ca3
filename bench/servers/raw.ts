// A hand-written Bun.serve: a bearer check, two routes, nothing else. The yardstick of dispatch.ts.
import { timingSafeEqual } from "node:crypto";
import { serveBench } from "../lib.js";

const expected = Buffer.from("Bearer bench-token");
const given = Buffer.alloc(expected.length);

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const header = request.headers.get("authorization") ?? "";
    given.fill(0);
    given.write(header);
    if (header.length !== expected.length || !timingSafeEqual(given, expected)) {
      return Response.json({ error: "unauthorized" }, { status: 401 });
    }
    const { pathname } = new URL(request.url);
    if (pathname === "/svc-0/items" && request.method === "GET") return Response.json({ ok: true });
    if (pathname === "/svc-0/items" && request.method === "POST") {
      const body = (await request.json()) as { text?: unknown } | null;
      if (typeof body?.text !== "string") {
        return Response.json({ error: "text must be a string" }, { status: 400 });
      }
      return Response.json({ length: body.text.length });
    }
    return Response.json({ error: "not found" }, { status: 404 });
  },
});
serveBench(server.port as number);
