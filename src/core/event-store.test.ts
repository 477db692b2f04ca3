import { afterEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { eventually, type Reef, Sandbox, startReef, TOKEN } from "../../tests/support/sandbox.js";
import { readConfig } from "./config.js";
import { eventStoreOf, openEventStore } from "./event-store.js";
import { createServer } from "./server.js";
import type { EventLog } from "./tree.js";

let reef: Reef | undefined;
afterEach(async () => {
  await reef?.end();
  reef = undefined;
});

const chain = `import { Hono } from "hono";
let events;
const routes = new Hono();
routes.post("/:type", async (c) => c.json(await events.emit("reef:event", { type: c.req.param("type"), content: "" })));
export default {
  name: "chain",
  routes,
  init(ctx) {
    events = ctx.events;
    const next = { first: "second", second: "third" };
    ctx.events.on("reef:event", async (event) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (next[event.type]) ctx.events.fire("reef:event", { type: next[event.type], content: "" });
      else ctx.events.emit("chain:done", {});
    });
  },
};`;

describe("events of a server", () => {
  test("that a handler publishes become children of the event it handles", async () => {
    reef = await startReef({ "chain/index.ts": chain });
    const first = await (await reef.call("/chain/first", { method: "POST" })).json();
    const { log } = eventStoreOf(reef.ctx);
    const thread = await eventually(async () => {
      const found = await log.subtree(first.id);
      return found?.entries.length === 3 ? found.entries : null;
    });
    expect(thread.map(({ event, depth }) => [event.type, depth, event.source])).toEqual([
      ["first", 0, "chain"],
      ["second", 1, "chain"],
      ["third", 2, "chain"],
    ]);
    const unrelated = await (await reef.call("/chain/other", { method: "POST" })).json();
    expect(unrelated.parentId).toBeNull();
  });

  test("stay when the service that made them is unloaded, and the log stays open", async () => {
    reef = await startReef({ "chain/index.ts": chain });
    const event = await (await reef.call("/chain/x", { method: "POST" })).json();
    await reef.ctx.registry.unload("chain");
    await Bun.sleep(0);
    await reef.events.emit("reef:event", { type: "later", source: "test", content: "" });
    const { events } = await eventStoreOf(reef.ctx).log.search();
    expect(events.map(({ type }) => type)).toEqual(["later", "x"]);
    expect(events[1]?.id).toBe(event.id);
  });

  test("that are not asked for cost no file", async () => {
    reef = await startReef({});
    expect(existsSync(join(reef.sandbox.dataDir, "events.sqlite"))).toBe(false);
  });

  test("are kept within the limits that the operator has set", async () => {
    reef = await startReef({}, { config: readConfig({ REEF_EVENTS_MAX: "100" }) });
    const { log } = eventStoreOf(reef.ctx);
    for (let i = 0; i < 30; i++) {
      await Promise.all(
        Array.from({ length: 10 }, () => log.append({ type: "t", source: "s", content: "" })),
      );
    }
    await eventually(async () => (await log.stats()).count <= 101);
  });

  test("are shared by two servers on one data folder, until the last of them closes", async () => {
    reef = await startReef({});
    const { servicesDir, dataDir } = reef.sandbox;
    const second = await createServer({ servicesDir, dataDir, authToken: TOKEN, logs: reef.logs });
    const seen: string[] = [];
    eventStoreOf(reef.ctx).log.subscribe((events) => seen.push(...events.map(({ content }) => content)));
    const publish = (content: string) => ({ type: "t", source: "s", content });
    await second.events.emit("reef:event", publish("from the second"));
    await second.close(0);
    await reef.events.emit("reef:event", publish("from the first"));
    expect(seen).toEqual(["from the second", "from the first"]);
  });
});

test("a user that releases the store twice takes it from nobody else", async () => {
  const sandbox = new Sandbox();
  const { dataDir } = sandbox;
  const open = () => openEventStore(dataDir, {});
  const log = () => eventStoreOf({ dataDir }).log;
  const publish = (to: EventLog) => to.append({ type: "t", source: "s", content: "" });
  const [first, second] = [open(), open()];
  const shared = log();
  await Promise.all([first.release(), first.release()]);
  await publish(shared);
  await second.release();
  await expect(publish(shared)).rejects.toMatchObject({ reason: "closed" });

  const third = open();
  const later = log();
  await Promise.all([first.release(), second.release()]);
  await publish(later);
  expect([log() === later, (await later.stats()).count]).toEqual([true, 2]);
  await third.release();
  sandbox.remove();
});
