import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { join } from "node:path";
import type { Scope } from "../permissions/set.js";
import { temporaryFolder } from "../testing/fixtures.js";
import { type AllowListProxy, startProxy } from "./proxy.js";

const folder = temporaryFolder();
afterAll(() => folder.remove());

async function proxyFor(name: string, allow: string[]): Promise<AllowListProxy> {
  const network: Scope = { allow: [allow], deny: [] };
  return startProxy(join(folder.path, `${name}.sock`), { network }, () => undefined);
}

/** What the proxy answers until it ends, or until it has opened a tunnel. */
async function ask(proxy: AllowListProxy, request: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(proxy.socketPath, () => socket.write(request));
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
    if (answer.startsWith("HTTP/1.1 200")) socket.destroy();
  });
  socket.on("error", reject);
  socket.on("close", () => resolve(answer));
  return promise;
}

const tunnel = (proxy: AllowListProxy, to: string) => ask(proxy, `CONNECT ${to} HTTP/1.1\r\n\r\n`);

describe("a permission for every host", () => {
  let proxy: AllowListProxy;
  beforeAll(async () => {
    proxy = await proxyFor("every", ["*"]);
  });
  afterAll(() => proxy.close());

  test.each([
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0177.0.0.1",
    "0x7f.1",
    "0",
    "169.254.169.254",
    "203.0.113.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::7f00:1]",
    "[::8.8.8.8]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::808:808]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001::7f00:1]",
    "[fec0::1]",
  ])("is no way to %s", async (host) => {
    expect(await tunnel(proxy, `${host}:9`)).toContain("has no address that is allowed");
  });

  test("is no way there over http either", async () => {
    const answer = await ask(proxy, "GET http://[64:ff9b::7f00:1]:9/ HTTP/1.1\r\n\r\n");
    expect(answer).toContain("has no address that is allowed");
  });
});

test("an address that is named exactly is reached", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") });
  const proxy = await proxyFor("exact", [`127.0.0.1:${server.port}`]);
  try {
    expect(await tunnel(proxy, `127.0.0.1:${server.port}`)).toStartWith("HTTP/1.1 200 ");
    expect(await tunnel(proxy, "127.0.0.1:9")).toStartWith("HTTP/1.1 403");
  } finally {
    proxy.close();
    await server.stop(true);
  }
});
