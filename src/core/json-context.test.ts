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
    ["of another kind", (c) => c.text("x", 201)],
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
