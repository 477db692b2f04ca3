import { describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { eventually } from "../../../tests/support/sandbox.js";
import { createTestHarness } from "../testing.js";
import type { ServiceModule } from "../types.js";

const bytes = new TextEncoder();

/** Streams that notice when their client goes, each in another way. */
function feeds() {
  const seen: string[] = [];
  const routes = new Hono();
  const streaming = (type: string) => (c: { req: { path: string; raw: Request } }) => {
    const { path, raw } = c.req;
    raw.signal.addEventListener("abort", () => void seen.push(`${path} signal`));
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(bytes.encode("data: first\n\n")),
      cancel: ({ name, message }) => void seen.push(`${path} cancel ${name} ${message}`),
    });
    return new Response(body, { headers: { "content-type": type } });
  };
  routes.get("/events", streaming("text/event-stream"));
  routes.get("/download", streaming("application/octet-stream"));
  routes.get("/hono", (c) =>
    streamSSE(c, async (stream) => {
      stream.onAbort(() => void seen.push("/hono onAbort"));
      await stream.writeSSE({ data: "first" });
      while (!stream.aborted) await stream.sleep(5);
    }),
  );
  routes.get("/short", (c) => {
    c.req.raw.signal.addEventListener("abort", () => void seen.push("/short signal"));
    return c.text("short");
  });
  const module: ServiceModule = { name: "feeds", routes, dispose: () => void seen.push("dispose") };
  return { module, seen };
}

const CLOSED = "cancel AbortError The connection was closed.";
const PATHS = ["/events", "/download", "/hono"];

/** What a service sees when the client of `path` goes. */
const noticed = (path: string) =>
  path === "/hono" ? ["/hono onAbort"] : [`${path} ${CLOSED}`, `${path} signal`];

async function opened(path: string) {
  const { module, seen } = feeds();
  const t = await createTestHarness({ services: [module] });
  const leaving = new AbortController();
  const reply = await t.fetch(`/feeds${path}`, { auth: true, signal: leaving.signal });
  const reader = reply.body?.getReader();
  const first = await reader?.read();
  expect(new TextDecoder().decode(first?.value)).toContain("data: first");
  return { t, seen, leaving, reader };
}

describe.each(PATHS)("a service whose stream %s is open is told", (path) => {
  test("that its client aborts, whose reads fail", async () => {
    const { t, seen, leaving, reader } = await opened(path);
    const next = reader?.read().catch(String);
    leaving.abort(new Error("gone"));
    expect(await next).toBe("Error: gone");
    await eventually(() => seen.length === noticed(path).length);
    expect(seen.toSorted()).toEqual(noticed(path));
    await t.cleanup();
    expect(seen.length).toBe(noticed(path).length + 1);
  });

  test("that its client reads no further", async () => {
    const { t, seen, reader } = await opened(path);
    await reader?.cancel();
    await eventually(() => seen.length === noticed(path).length);
    expect(seen.toSorted()).toEqual(noticed(path));
    await t.cleanup();
  });

  test.each([true, false])("by cleanup, after dispose; with a read that waits: %p", async (waits) => {
    const { t, seen, reader } = await opened(path);
    const next = waits ? reader?.read().catch(() => undefined) : undefined;
    await t.cleanup();
    expect(seen[0]).toBe("dispose");
    expect(seen.slice(1).toSorted()).toEqual(noticed(path));
    await next;
  });
});

test("a reply that was read, or never looked at, is no client that goes", async () => {
  const { module, seen } = feeds();
  const t = await createTestHarness({ services: [module] });
  expect(await (await t.fetch("/feeds/short", { auth: true })).text()).toBe("short");
  for (const path of ["short", "unknown"]) await t.fetch(`/feeds/${path}`, { auth: true });
  await t.cleanup();
  expect(seen).toEqual(["dispose"]);
});

test("a stream whose cancel throws is left as on the server", async () => {
  const routes = new Hono().get("/", () => {
    const cancel = () => {
      throw new Error("in cancel");
    };
    return new Response(new ReadableStream({ cancel }));
  });
  const t = await createTestHarness({ services: [{ name: "a", routes }] });
  await t.fetch("/a", { auth: true });
  await t.cleanup();
});
