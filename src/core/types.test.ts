/** Services as people write them: that `tsc` accepts them is the test, and that they do what they look like. */
import { afterEach, expect, test } from "bun:test";
import { Hono } from "hono";
import { eventually } from "../../tests/support/sandbox.js";
import { createTestHarness, type TestHarness } from "./testing.js";
import type { ServiceModule } from "./types.js";

let t: TestHarness | undefined;
afterEach(() => t?.cleanup());

test("functions of one expression, whatever it gives", async () => {
  const heard: string[] = [];
  const asynchronously = async (what: string) => heard.push(what);
  const terse: ServiceModule = {
    name: "terse",
    init: (ctx) => {
      ctx.events.on("said", (what) => heard.push(what));
      ctx.events.on("said", (what) => asynchronously(`${what} later`));
      ctx.events.once("said", (what) => heard.push(`${what} once`));
      ctx.setTimeout(() => heard.push("timeout"), 1);
      const stop = ctx.setInterval(() => stop() ?? heard.push("interval"), 1);
      ctx.onDispose(() => heard.push("disposer"));
      return ctx.events.on("never", () => heard.push("never"));
    },
    dispose: async () => heard.push("dispose"),
    store: { flush: () => asynchronously("flush"), close: () => heard.push("close") },
  };
  t = await createTestHarness({ services: [terse] });
  await t.server.events.emit("said", "hello");
  await eventually(() => heard.includes("timeout") && heard.includes("interval"), "both timers");
  await t.cleanup();
  for (const what of ["hello", "hello later", "hello once", "flush", "dispose", "disposer"])
    expect(heard).toContain(what);
});

test("an app whose middleware leaves typed variables to its handlers", async () => {
  const routes = new Hono<{ Variables: { who: string } }>();
  routes.use(async (c, next) => {
    c.set("who", c.req.header("x-who") ?? "nobody");
    await next();
  });
  routes.get("/", (c) => c.json({ who: c.get("who") }));
  t = await createTestHarness({ services: [{ name: "typed", routes }] });
  const { data } = await t.json("/typed", { auth: true, headers: { "x-who": "ada" } });
  expect(data).toEqual({ who: "ada" });
});

interface Painted {
  colour: string;
}
declare module "./types.js" {
  interface ServiceEvents {
    "types-test:painted": Painted;
  }
}

test("an event that says all by its name needs no data; one with a type of its own needs that", async () => {
  const heard: unknown[] = [];
  const talker: ServiceModule = {
    name: "talker",
    async init({ events }) {
      events.on("types-test:cleared", (data) => heard.push(data));
      events.on("types-test:painted", ({ colour }) => heard.push(colour.toUpperCase()));
      await events.emit("types-test:cleared");
      events.fire("types-test:cleared");
      await events.emit("types-test:painted", { colour: "red" });
      // @ts-expect-error it has no colour
      const unpainted = () => events.emit("types-test:painted");
      heard.push(typeof unpainted);
    },
  };
  t = await createTestHarness({ services: [talker] });
  expect(heard).toEqual([undefined, undefined, "RED", "function"]);
});
