/** Replies of the dashboard that are quiet for longer than connections are kept. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Listening, startListening } from "../../tests/support/listening.js";
import { Sandbox } from "../../tests/support/sandbox.js";
import { logIn } from "../../tests/support/session.js";

const sandbox = new Sandbox();
const { promise: opened, resolve: open } = Promise.withResolvers<void>();
let reef: Listening;
let headers: Record<string, string>;

beforeAll(async () => {
  Object.assign(globalThis, { quietGate: opened });
  sandbox.services({
    "quiet/index.ts": `
      import { Hono } from "hono";
      const routes = new Hono();
      routes.post("/", async (c) => { await globalThis.quietGate; return c.text("done"); });
      export default { name: "quiet", routes };`,
    "other/index.ts": `export default { name: "other" };`,
  });
  const env = { REEF_IDLE_TIMEOUT: "1" };
  reef = await startListening({ sandbox, links: ["services/ui", "services/services"], env });
  headers = { cookie: await logIn(reef, reef.token), "x-reef-ui": "1" };
});
afterAll(async () => {
  Reflect.deleteProperty(globalThis, "quietGate");
  await reef.end();
});

test("calls through the dashboard and its stream stay, where other connections are cut off", async () => {
  const quiet = { method: "POST", keepalive: false };
  const passedOn = reef.fetch("/ui/api/quiet", { ...quiet, headers }).then((reply) => reply.text());
  const said = passedOn.catch(String);
  const live = (await reef.fetch("/ui/live", { headers })).body as ReadableStream<Uint8Array>;
  const reader = live.getReader();
  const read = async (text: string): Promise<string> => {
    const { value } = await reader.read();
    const frames = new TextDecoder().decode(value);
    return value === undefined || frames.includes(text) ? frames : read(text);
  };
  expect(await read('"kind":"hello"')).not.toBe("");
  const next = read('"name":"other"').catch(String);
  await expect(reef.fetch("/quiet", quiet)).rejects.toThrow("closed");
  open();
  expect(await said).toBe("done");
  expect((await reef.api("POST", "/services/disable/other")).status).toBe(200);
  expect(await next).toContain('"name":"other"');
  await reader.cancel();
}, 60_000);
