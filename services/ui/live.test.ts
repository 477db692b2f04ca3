import { afterAll, beforeAll, expect, test } from "bun:test";
import { createTestHarness, type TestHarness } from "../../src/core/testing.js";
import { logIn } from "../../tests/support/session.js";
import { createUi } from "./index.js";
import { BOOT } from "./live.js";
import { parseEvents } from "./server-sent-events.js";

let t: TestHarness;
let cookie: string;
beforeAll(async () => {
  t = await createTestHarness({ services: [createUi(), import("../feed/index.js")] });
  cookie = await logIn(t, t.authToken);
});
afterAll(() => t.cleanup());

/** Reads the live stream until `until` says that it has seen enough. */
async function read(
  headers: Record<string, string>,
  until: (text: string) => boolean,
  then: () => Promise<void> = async () => undefined,
) {
  const reply = await t.fetch("/ui/live", { headers: { cookie, ...headers } });
  expect(reply.headers.get("content-type")).toBe("text/event-stream");
  const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  let acted = false;
  while (!until(text)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    if (!acted && text.includes('"feed":true')) {
      acted = true;
      await then();
    }
  }
  await reader.cancel();
  return parseEvents(text.slice(0, text.lastIndexOf("\n\n") + 2));
}

const publish = async (content: string) =>
  (await t.json("/feed/events", { auth: true, body: { type: "note", source: "test", content } })).data
    .id as string;

test("is for those who are logged in", async () => {
  expect((await t.fetch("/ui/live")).status).toBe(401);
});

test("answers HEAD without opening a stream, to those who are logged in", async () => {
  const head = (headers: Record<string, string>) => t.fetch("/ui/live", { method: "HEAD", headers });
  const timers = () => t.server.ctx.registry.get("ui")?.ledger?.timers ?? 0;
  const before = timers();
  const reply = await head({ cookie });
  expect([reply.status, reply.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  expect(timers()).toBeLessThanOrEqual(before);
  expect((await head({})).status).toBe(401);
});

test("greets with the run of the server, then passes on events and what happens to services", async () => {
  const events = await read(
    {},
    (text) => text.includes('"kind":"services"') && text.includes("a first"),
    async () => {
      await publish("a first");
      await t.server.ctx.events.emit("services:changed", { name: "board", action: "updated" });
    },
  );
  expect(JSON.parse(events[0]?.data ?? "")).toMatchObject({ kind: "hello", boot: BOOT });
  const messages = events.filter(({ event }) => event === "reef").map(({ data }) => JSON.parse(data));
  expect(messages).toContainEqual({ kind: "services", name: "board", action: "updated" });
  const [first] = events.filter(({ event, data }) => event === "" && data !== "");
  expect(JSON.parse(first?.data ?? "")).toMatchObject({ content: "a first", id: first?.id });
});

test("goes on after the last event that was seen", async () => {
  const seen = await publish("seen");
  const missed = [await publish("missed"), await publish("missed too")];
  const events = await read({ "last-event-id": seen }, (text) => text.includes("missed too"));
  expect(events.filter(({ event, data }) => event === "" && data !== "").map(({ id }) => id)).toEqual(missed);
});

test("lets go of clients that leave", async () => {
  await read({}, (text) => text.includes('"feed":true'));
  const stats = async () => (await t.json("/feed/stats", { auth: true })).data.streams.clients as number;
  for (let tries = 0; tries < 200 && (await stats()) > 0; tries++) await Bun.sleep(5);
  expect(await stats()).toBe(0);
});
