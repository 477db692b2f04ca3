/** Whatever a service does with its errors, the server and the other services go on. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ReefProcess } from "./support/process.js";
import { answering, eventually, Sandbox } from "./support/sandbox.js";

const CARELESS = `import { Hono } from "hono";
import { once } from "node:events";
import { HTTPException } from "hono/http-exception";
import { SqliteFile } from "../../src/storage/index.js";
const db = new SqliteFile({ path: "careless.sqlite", migrations: [] });
let ctx;
const routes = new Hono();
routes.post("/unread-body", (c) => { void c.req.json(); return c.json({ error: "no version" }, 400); });
routes.post("/thrown-beside-body", (c) => { void c.req.raw.arrayBuffer(); throw new Error("early"); });
routes.get("/unknown-module", (c) => { void ctx.loadModule("nope"); return c.text("ok"); });
routes.get("/unwritten", (c) => { void db.write((open) => open.run("INSERT INTO missing VALUES (1)")); return c.text("ok"); });
routes.get("/lazy", (c) => { import("./missing.js").then(() => {}); return c.text("ok"); });
routes.get("/rejected", (c) => { void Promise.reject(new Error("nobody waits")); return c.text("ok"); });
routes.get("/native", (c) => { void fetch("http://127.0.0.1:1/"); return c.text("ok"); });
routes.get("/hanging-up", async (c) => {
  c.req.raw.signal.addEventListener("abort", () => { throw new Error("gone: thrown"); });
  c.req.raw.signal.addEventListener("abort", async () => { throw new Error("gone: rejected"); });
  void once(new EventTarget(), "never", { signal: c.req.raw.signal });
  await Bun.sleep(200);
  return c.text("for nobody");
});
const thrown = {
  "status-0": () => new HTTPException(0),
  "status-negative": () => new HTTPException(-1, { message: "x" }),
  "status-null": () => Object.assign(new Error("x"), { status: null, getResponse() {} }),
  message: () => Object.defineProperty(new Error(), "message", { get() { throw new Error("no message"); } }),
  proxy: () => new Proxy(new Error("x"), { getPrototypeOf() { throw new Error("no prototype"); }, get() { throw new Error("nothing"); } }),
  symbol: () => Symbol("x"),
  null: () => null,
};
routes.get("/throws/:what", async (c) => { await 0; throw thrown[c.req.param("what")](); });
const replies = {
  proxy: () => new Proxy(new Response("x"), {}),
  shape: () => Object.create(Response.prototype),
  headers: () => new (class extends Response { get headers() { throw new Error("no headers"); } })("x"),
};
routes.get("/replies/:what", async (c) => { await 0; return replies[c.req.param("what")](); });
routes.get("/", (c) => c.text("careless"));
export default { name: "careless", routes, requiresAuth: false, init(given) {
  ctx = given;
  void ctx.loadModule("not-there-either");
  ctx.signal.addEventListener("abort", () => { throw new Error("ended: thrown"); });
  ctx.signal.addEventListener("abort", async () => { throw new Error("ended: rejected"); });
  void once(new EventTarget(), "never", { signal: ctx.signal });
} };`;

let sandbox: Sandbox;
let reef: ReefProcess;
beforeAll(async () => {
  const other = answering(
    "other",
    "alive",
    "init(ctx) { routes.post('/sync', async (c) => c.json(await ctx.registry.sync())); },",
  );
  sandbox = new Sandbox({ "careless/index.ts": CARELESS, "other/index.ts": other });
  reef = await new ReefProcess(sandbox).serving("careless", "other");
  // The first request goes another way than the ones after it.
  expect(await (await reef.call("/careless")).text()).toBe("careless");
});
afterAll(async () => {
  await reef.stop("SIGKILL");
  sandbox.remove();
});

/** What comes late has come by then. */
async function othersGoOn(): Promise<void> {
  for (let n = 0; n < 3; n++) {
    await Bun.sleep(5);
    expect(await (await reef.call("/other")).text()).toBe("alive");
  }
  expect(reef.child.exitCode).toBeNull();
}

const body = { method: "POST", body: '{"a":1}', headers: { "content-type": "application/json" } };

test.each<[path: string, status: number, init: RequestInit]>([
  ["unread-body", 400, body],
  ["unread-body", 400, { ...body, body: "{" }],
  ["thrown-beside-body", 500, body],
  ["unknown-module", 200, {}],
  ["unwritten", 200, {}],
  ["lazy", 200, {}],
  ["rejected", 200, {}],
  ["native", 200, {}],
  ...["status-0", "status-negative", "status-null", "message", "proxy", "symbol", "null"].map(
    (what): [string, number, object] => [`throws/${what}`, 500, {}],
  ),
  ...["proxy", "shape", "headers"].map((what): [string, number, object] => [`replies/${what}`, 500, {}]),
])("/%s answers %d and ends nothing", async (path, status, init) => {
  const reply = await reef.call(`/careless/${path}`, init);
  expect(reply.status).toBe(status);
  if (status === 500) expect(await reply.json()).toEqual({ error: "internal service error" });
  await othersGoOn();
});

test("a client that hangs up ends nothing, and the error is the service's", async () => {
  const leaving = new AbortController();
  const asking = reef.call("/careless/hanging-up", { signal: leaving.signal });
  await Bun.sleep(50);
  leaving.abort();
  await expect(asking).rejects.toThrow();
  await eventually(() => reef.output.includes("gone: thrown") && reef.output.includes("gone: rejected"));
  expect(reef.output).toMatch(/error careless: .*gone: thrown/);
  await othersGoOn();
});

test("listeners for its own end that throw keep nobody from going on, at a reload and at the server's end", async () => {
  sandbox.services({
    "careless/index.ts": CARELESS.replace('c.text("careless")', 'c.text("reloaded")'),
    "saves/index.ts": `import { writeFileSync } from "node:fs";
      export default { name: "saves", store: { async flush() { await Bun.sleep(20); writeFileSync("saved", ""); } } };`,
  });
  const reloading = await reef.call("/other/sync", { method: "POST" });
  expect(await reloading.json()).toMatchObject({ errors: [] });
  expect(await (await reef.call("/careless")).text()).toBe("reloaded");
  await eventually(() => reef.output.includes("ended: thrown") && reef.output.includes("ended: rejected"));
  await othersGoOn();
  expect(await reef.stop()).toBe(0);
  expect(existsSync(join(sandbox.root, "saved"))).toBe(true);
});
