/** What only arrives over a socket: requests that `fetch` cannot make. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { connect } from "node:net";
import { readConfig } from "../src/core/config.js";
import { eventually, type Reef, startReef, TOKEN } from "./support/sandbox.js";

const READING = `import { Hono } from "hono";
const routes = new Hono();
routes.get("/", (c) => c.json({ url: c.req.url }));
routes.post("/", async (c) => c.json(await c.req.json()));
routes.get("/own", () => { throw new DOMException("its own", "AbortError"); });
export default { name: "reader", routes };
`;
const AUTH = `Authorization: Bearer ${TOKEN}\r\n`;

let reef: Reef;
let server: Bun.Server<undefined>;
beforeEach(async () => {
  reef = await startReef(
    { "reader/index.ts": READING },
    { config: readConfig({ REEF_MAX_BODY_BYTES: "2048", REEF_DRAIN_TIMEOUT: "2000" }) },
  );
  server = Bun.serve({ hostname: "127.0.0.1", port: 0, maxRequestBodySize: 2048, fetch: reef.app.fetch });
});
afterEach(async () => {
  await server.stop(true);
  await reef.end();
});

/** Sends bytes as they are; resolves with what came back until the server closes, or says that it is enough. */
function send(bytes: string, enough = /\r\n\r\n[\s\S]*\}$/): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = "";
    const socket = connect(server.port as number, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (data) => {
      reply += data;
      if (enough.test(reply)) socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(reply));
  });
}

test.each(["", "Host:\r\n"])("a request without a host (%p) reaches what it asks for", async (host) => {
  expect(await send(`GET /health HTTP/1.0\r\n${host}\r\n`)).toContain('"status":"ok"');
  expect(await send(`GET /reader HTTP/1.0\r\n${host}\r\n`)).toStartWith("HTTP/1.1 401 ");
  expect(await send(`GET /1234567/reader HTTP/1.0\r\n${host}\r\n`)).toStartWith("HTTP/1.1 404 ");
  expect(await send(`GET /reader HTTP/1.0\r\n${host}${AUTH}\r\n`)).toContain("http://localhost/reader");
  const body = `POST /reader HTTP/1.0\r\n${host}${AUTH}Content-Length: 7\r\n\r\n{"a":1}`;
  expect(await send(body)).toEndWith('{"a":1}');
});

test("a client that goes away while it sends is no error of the service", async () => {
  const socket = connect(server.port as number, "127.0.0.1");
  socket.write(`POST /reader HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Length: 100\r\n\r\n{"a`);
  await eventually(() => served() === 1, "the request");
  socket.destroy();
  await eventually(() => server.pendingRequests === 0, "the end of the request");
  expect(errors()).toBe(0);
  expect(reef.lines.filter(({ level }) => level === "error")).toEqual([]);
});

test("a body that grows past the limit is no error of the service", async () => {
  const chunk = `400\r\n${"x".repeat(0x400)}\r\n`;
  const head = `POST /reader HTTP/1.1\r\nHost: x\r\n${AUTH}Transfer-Encoding: chunked\r\n\r\n`;
  expect(await send(head + chunk.repeat(4), /\r\n\r\n/)).toStartWith("HTTP/1.1 413 ");
  await eventually(() => server.pendingRequests === 0, "the end of the request");
  expect(errors()).toBe(0);
  expect(reef.lines.filter(({ level }) => level === "error")).toEqual([]);
});

test("an abort of the service's own is an error of the service", async () => {
  expect((await reef.call("/reader/own")).status).toBe(500);
  expect(errors()).toBe(1);
});

const ledger = () => reef.ctx.registry.list().find(({ name }) => name === "reader")?.ledger;
const served = () => ledger()?.served;
const errors = () => ledger()?.errors;
