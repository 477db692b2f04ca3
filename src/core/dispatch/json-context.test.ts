import { describe, expect, test } from "bun:test";
import { type Context, Hono } from "hono";
import { setCookie } from "hono/cookie";
import { jsonContextClass, NOSNIFF } from "./json-context.js";

let HonoContext: typeof Context | undefined;
const finder = new Hono().notFound((c) => {
  HonoContext = c.constructor as typeof Context;
  return c.body(null);
});
await finder.request("/");
const HonosOwn = HonoContext as typeof Context;
const Own = jsonContextClass(HonosOwn);
const own = () => new Own(new Request("http://h/"));
const honos = () => new HonosOwn(new Request("http://h/"));
const shown = async (reply: Response) => {
  const text = await reply.clone().text();
  reply.headers.set(...NOSNIFF);
  return [reply.status, [...reply.headers], text];
};

type Json = (object: unknown, arg?: unknown, headers?: unknown) => Response;
const json = (c: Context) => c.json as unknown as Json;

describe("a JSON reply is Hono's", () => {
  test.each<[string, (c: Context) => Response]>([
    ["alone", (c) => c.json({ a: [1, "ü"] })],
    ["nothing", (c) => json(c)(undefined)],
    ["with a status", (c) => c.json({ a: 1 }, 201)],
    ["with the same status again", (c) => c.json({ b: 2 }, 201)],
    ["with a status and headers", (c) => c.json({ a: 1 }, 201, { "x-own": "1" })],
    ["with headers in the second place", (c) => c.json({ a: 1 }, { headers: { "x-own": "1" } })],
    ["with a status in an object", (c) => c.json({ a: 1 }, { status: 404 })],
    [
      "with another content type",
      (c) => c.json({ a: 1 }, 200, { "content-type": "application/problem+json" }),
    ],
    ["with empty headers", (c) => c.json({ a: 1 }, 200, {})],
    ["by a function taken from it", (c) => json(c)({ a: 1 })],
    [
      "by a function of the author's",
      (c) => {
        const { json: honosOwn } = c;
        c.json = ((object: object) => honosOwn({ wrapped: object })) as Context["json"];
        return c.json({ a: 1 });
      },
    ],
  ])("%s", async (_what, reply) => {
    expect(await shown(reply(own()))).toEqual(await shown(reply(honos())));
  });

  test.each<[string, (c: Context) => void]>([
    ["a status", (c) => c.status(202)],
    ["a header", (c) => c.header("x-own", "1")],
    ["a cookie", (c) => setCookie(c, "a", "b")],
    ["a header of the reply to come", (c) => c.res.headers.set("x-own", "1")],
    [
      "another reply",
      (c) => {
        c.res = new Response("x", { headers: { "x-own": "1" } });
      },
    ],
  ])("after %s", async (_what, before) => {
    const replies = [own(), honos()].map((context) => {
      before(context);
      return context.json({ a: 1 });
    });
    const [here, there] = await Promise.all(replies.map(shown));
    expect(here).toEqual(there);
  });

  test("also what cannot be said in JSON", () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    expect(() => own().json(loop)).toThrow(/cyclic|circular/i);
  });
});

describe("everything else is Hono's", () => {
  test.each<[string, (c: Context) => Response | Promise<Response>]>([
    ["a text", (c) => c.text("x", 201)],
    ["a body", (c) => c.body("x", 203, { "x-own": "1" })],
    ["a page", (c) => c.html("<p>x</p>")],
    ["a redirection", (c) => c.redirect("/ä", 303)],
    ["a reply made by hand", (c) => c.newResponse("x", 206)],
    ["what is not found", (c) => c.notFound()],
    [
      "a page in a layout",
      (c) => {
        c.setRenderer((content) => c.html(`<b>${content}</b>`));
        return c.render("x");
      },
    ],
    [
      "what was set",
      (c) => {
        c.set("a", 1);
        return c.json([c.get("a"), c.var.a]);
      },
    ],
    [
      "what was said before and after",
      (c) => {
        c.status(202);
        c.header("x-own", "1");
        return c.text("x");
      },
    ],
    ["the parts of the request", async (c) => c.json([c.req.path, c.req.method, c.req.query(), c.env])],
    ["what a proxy of it makes", (c) => new Proxy(c, {}).json({ a: 1 })],
    ["what is made by an object that derives from it", (c) => Object.create(c).json({ a: 1 }, 201)],
    ["its functions, which stay the same", (c) => c.json(new Set([c.json, c.json, c.text, c.text]).size)],
    [
      "an environment of the author's",
      (c) => {
        const before = c.env;
        c.env = { own: 1 };
        return c.json([before, c.env]);
      },
    ],
    [
      "whether there is a reply",
      (c) => {
        const before = c.finalized;
        c.res = c.text("x");
        return c.json([before, c.finalized]);
      },
    ],
  ])("%s", async (_what, reply) => {
    const [here, there] = await Promise.all(
      [own(), honos()].map(async (context) => shown(await reply(context))),
    );
    expect(here).toEqual(there);
  });

  test("its request is one and the same, whatever is asked for in between", async () => {
    const context = new Own(new Request("http://h/", { method: "POST", body: "[1]" }));
    const { req } = context;
    expect(await req.json()).toEqual([1]);
    context.status(201);
    expect(context.req).toBe(req);
    expect(await context.req.json()).toEqual([1]);
  });

  test("its class, and what it has and has not", () => {
    const context = own();
    expect(context).toBeInstanceOf(HonosOwn);
    for (const key of Object.keys(honos())) expect(key in context, key).toBe(true);
    expect(() => context.executionCtx).toThrow("This context has no ExecutionContext");
    expect(() => Object.assign(context, { req: 1 })).toThrow(TypeError);
    expect(Object.assign(context, { mine: 1 }).mine).toBe(1);
  });
});

test("it is ready only when it has all its headers", () => {
  const context = own();
  const plain = context.json({});
  expect(context.ready).toBe(plain);
  expect(plain.headers.get(NOSNIFF[0])).toBe(NOSNIFF[1]);
  const other = own();
  other.header("x-own", "1");
  other.json({});
  expect(other.ready).toBeUndefined();
});

test("replies do not share headers", () => {
  const [first, second] = [own().json({}, 201), own().json({}, 201)];
  first.headers.set("x-own", "1");
  expect(second.headers.has("x-own")).toBe(false);
  expect(own().json({}, 201).headers.has("x-own")).toBe(false);
});
