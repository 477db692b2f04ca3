import { afterAll, describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { ReefError } from "../../src/core/errors.js";
import { raw } from "../../tests/support/process.js";
import { assertHost, FailureLimit } from "./guard.js";

test("an address that has failed too often waits, others do not", () => {
  let now = 0;
  const limit = new FailureLimit(3, 1000, () => now);
  const refused = (address: string) => {
    try {
      limit.assert(address);
      return false;
    } catch {
      return true;
    }
  };
  for (let index = 0; index < 3; index++) {
    expect(refused("1.1.1.1")).toBe(false);
    limit.failed("1.1.1.1");
  }
  expect(refused("1.1.1.1")).toBe(true);
  expect(refused("2.2.2.2")).toBe(false);
  now = 1000;
  expect(refused("1.1.1.1")).toBe(false);
  limit.failed("1.1.1.1");
  expect(refused("1.1.1.1")).toBe(false);
});

describe("a request under the name", () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => app.fetch(request) });
  afterAll(() => server.stop(true));
  const app = new Hono();
  app.all("*", (c) => {
    assertHost(c, ["localhost", "127.0.0.1"]);
    return c.text("in");
  });
  app.onError((error, c) => c.json({ error: error.message }, error instanceof ReefError ? 403 : 500));

  test.each([
    ["localhost", "200"],
    ["127.0.0.1:80", "200"],
    ["evil.example", "403"],
    ["localhost@evil.example", "403"],
    ["", "403"],
    ["[::1", "403"],
    ["::::", "403"],
    ["%zz", "403"],
    ["localhost:99999", "403"],
    ["localhost:abc", "403"],
    ["a b", "403"],
  ])("%p gets %s", async (host, status) => {
    const answer = await raw(
      Number(server.port),
      `GET /ui HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toStartWith(`HTTP/1.1 ${status}`);
  });
});
