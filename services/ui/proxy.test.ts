import { afterAll, beforeAll, expect, test } from "bun:test";
import { Hono } from "hono";
import { createTestHarness, type TestHarness } from "../../src/core/testing.js";
import { logIn } from "../../tests/support/session.js";
import { createUi } from "./index.js";

/** A body that is made piece by piece. */
const streamOf = (pieces: AsyncGenerator<Uint8Array>) =>
  new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });

const routes = new Hono();
routes.all("/echo", async (c) =>
  c.json({ method: c.req.method, url: c.req.url, headers: c.req.header(), body: await c.req.text() }),
);
let release: () => void = () => undefined;
routes.get("/slow", () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  release = resolve;
  const pieces = async function* () {
    yield new TextEncoder().encode("first ");
    await promise;
    yield new TextEncoder().encode("second");
  };
  return new Response(streamOf(pieces()), { status: 206, headers: { "x-own": "1" } });
});
routes.post("/meet", async (c) => {
  const reader = (c.req.raw.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  release();
  const rest = await reader.read();
  return c.text(new TextDecoder().decode(value) + new TextDecoder().decode(rest.value));
});

let t: TestHarness;
let headers: Record<string, string>;
beforeAll(async () => {
  t = await createTestHarness({ services: [createUi(), { name: "target", routes }] });
  headers = { cookie: await logIn(t, t.authToken), "x-reef-ui": "1" };
});
afterAll(() => t.cleanup());

test("passes on method, path, query, body and harmless headers; the session and its signs stay behind", async () => {
  const { data } = await t.json("/ui/api/target/echo?a=1&b=%2F", {
    method: "PATCH",
    body: { x: "ä" },
    headers: {
      ...headers,
      origin: "http://localhost",
      referer: "http://localhost/ui",
      "sec-fetch-site": "same-origin",
      authorization: "Bearer something",
      "x-own": "kept",
      "last-event-id": "7",
    },
  });
  expect([data.method, data.body]).toEqual(["PATCH", '{"x":"ä"}']);
  expect(data.url).toEndWith("/target/echo?a=1&b=%2F");
  expect(data.headers).toMatchObject({
    "x-own": "kept",
    "last-event-id": "7",
    "content-type": "application/json",
  });
  for (const name of ["cookie", "authorization", "origin", "referer", "x-reef-ui", "sec-fetch-site"])
    expect(data.headers).not.toHaveProperty(name);
});

test("streams replies as they come, with their status and headers", async () => {
  const reply = await t.fetch("/ui/api/target/slow", { headers });
  expect([reply.status, reply.headers.get("x-own")]).toEqual([206, "1"]);
  const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
  const read = async () => new TextDecoder().decode((await reader.read()).value);
  expect(await read()).toBe("first ");
  release();
  expect(await read()).toBe("second");
});

test("streams requests as they come", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  release = resolve;
  // The second piece is sent only when the service has read the first.
  const pieces = async function* () {
    yield new TextEncoder().encode("one ");
    await promise;
    yield new TextEncoder().encode("two");
  };
  const reply = await t.fetch("/ui/api/target/meet", {
    method: "POST",
    body: streamOf(pieces()),
    headers,
  });
  expect(await reply.text()).toBe("one two");
});

test("passes on what a service says on purpose, errors included, and 404 for what is not there", async () => {
  expect((await t.json("/ui/api/nobody", { headers })).data).toEqual({ error: "unknown service" });
  expect((await t.fetch("/ui/api/target/nothing", { headers })).status).toBe(404);
  expect((await t.fetch("/ui/api/health", { headers })).status).toBe(200);
});
