import { describe, expect, test } from "bun:test";
import { HTTPException } from "hono/http-exception";
import { LogBook } from "../log.js";
import { replyTo } from "./thrown-reply.js";

const log = new LogBook(() => undefined).logger("s");
const replied = (error: unknown) => replyTo(error, new Request("http://h/"), log);

async function shown(error: unknown) {
  const reply = replied(error);
  return reply && [reply.status, await reply.text(), reply.headers.get("x-own")];
}

class Problem extends HTTPException {
  override getResponse(): Response {
    const { status } = this;
    return Response.json({ type: "problem" }, { status, headers: { "x-own": "1" } });
  }
}

describe("an HTTPException", () => {
  const headers = { "x-own": "1" };
  test.each<[string, HTTPException]>([
    ["with a reply that has no status", new HTTPException(401, { res: new Response("no", { headers }) })],
    ["with one of another status", new HTTPException(409, { res: new Response("no", { status: 400 }) })],
    [
      "with one that has been kept",
      new HTTPException(403, { res: new Response("no", { status: 403, headers }) }),
    ],
    ["that makes its own", new Problem(422, { message: "bad thing" })],
    [
      "that was given another way to",
      Object.assign(new HTTPException(404), { getResponse: () => new Response("gone", { status: 410 }) }),
    ],
  ])("%s is answered as Hono would", async (_which, error) => {
    const honos = error.getResponse.call(error).clone();
    // A body can be read once.
    const again = error.res && new HTTPException(error.status, { res: new Response("no", error.res) });
    expect(await shown(again ?? error)).toEqual([
      honos.status,
      await honos.text(),
      honos.headers.get("x-own"),
    ]);
  });

  test("that says no more than a message is answered as all errors are", async () => {
    expect(await shown(new HTTPException(418, { message: "short" }))).toEqual([
      418,
      '{"error":"short"}',
      null,
    ]);
    expect(await shown(new HTTPException(404))).toEqual([404, '{"error":"request refused"}', null]);
    class Named extends HTTPException {}
    expect(await shown(new Named(400, { message: "x" }))).toEqual([400, '{"error":"x"}', null]);
  });

  test.each<[string, HTTPException]>([
    ["is thrown", new HTTPException(503, { message: "password" })],
    ["has a reply", new HTTPException(500, { res: new Response("password", { status: 400 }) })],
    [
      "comes out of it",
      Object.assign(new Problem(400), { getResponse: () => new Response("", { status: 502 }) }),
    ],
    ["is no status", new HTTPException(0 as 400)],
    ["is no reply", Object.assign(new Problem(400), { getResponse: () => "text" as unknown as Response })],
  ])("whose 5xx %s is a failure like any other", async (_how, error) => {
    expect(replied(error)).toBeUndefined();
  });
});
