/** Requests that no dashboard made: each is refused by each route that changes something. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { createTestHarness, type TestHarness } from "../../src/core/testing.js";
import type { ServiceModule } from "../../src/core/types.js";
import { logIn } from "../../tests/support/session.js";
import { createUi } from "./index.js";

let changes = 0;
const routes = new Hono();
routes.all("/change", (c) => {
  changes++;
  return c.text("changed");
});
routes.get("/page", (c) => {
  c.header("set-cookie", "reef_session=stolen; Path=/ui");
  c.header("x-own", "kept");
  return c.html("<script>alert(1)</script>");
});
routes.get("/_panel", (c) => c.html("<p>panel</p>"));
const target: ServiceModule = { name: "target", routes };

/** There, and none of the panel's business. */
const neighbour: ServiceModule = { name: "neighbour", routes };
const nearly: ServiceModule = { name: "target2", routes };

const HOST = "localhost";
let t: TestHarness;
let cookie: string;
/** Another login, taken before failures are counted. */
let other: string;
let panelApi: string;

beforeAll(async () => {
  t = await createTestHarness({ services: [createUi(), target, neighbour, nearly] });
  cookie = await logIn(t, t.authToken);
  other = await logIn(t, t.authToken);
  const panel = await (await t.fetch("/ui/panel/target", { headers: { cookie } })).text();
  panelApi = new URL(/http:\/\/[^&"]*\/ui\/panel-api\/[\w-]+/.exec(panel)?.[0] ?? "").pathname;
});
afterAll(() => t.cleanup());

/** The session and the header that the dashboard's script sends: what a forger does not have, or not both. */
const GOOD = { "x-reef-ui": "1" };

const FORGERIES: Array<[what: string, headers: Record<string, string>]> = [
  ["a foreign origin", { ...GOOD, origin: "http://evil.example" }],
  ["an origin that begins like ours", { ...GOOD, origin: `http://${HOST}.evil.example` }],
  ["an origin on another port", { ...GOOD, origin: `http://${HOST}:8080` }],
  ["the origin of a sandbox", { ...GOOD, origin: "null" }],
  ["an origin that is none", { ...GOOD, origin: "garbage" }],
  ["a request from another site", { ...GOOD, "sec-fetch-site": "cross-site" }],
  ["a request from another name of the site", { ...GOOD, "sec-fetch-site": "same-site" }],
  ["an unknown kind of site", { ...GOOD, "sec-fetch-site": "x" }],
  ["a foreign host", { ...GOOD, host: "evil.example" }],
  ["a host that begins like ours", { ...GOOD, host: `${HOST}.evil.example` }],
  ["a host with a user", { ...GOOD, host: `${HOST}@evil.example` }],
  ["a plain post", { "content-type": "text/plain" }],
  ["a form", { "content-type": "application/x-www-form-urlencoded" }],
  ["a form with files", { "content-type": "multipart/form-data; boundary=x" }],
  ["JSON without our header", { "content-type": "application/json" }],
];

describe("through the proxy, with the session's cookie", () => {
  test("a request of the dashboard's own is let through", async () => {
    const before = changes;
    const headers = { ...GOOD, cookie, origin: `http://${HOST}`, "sec-fetch-site": "same-origin" };
    const reply = await t.fetch("/ui/api/target/change", { method: "POST", headers });
    expect(await reply.text()).toBe("changed");
    expect(changes).toBe(before + 1);
  });

  for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
    test.each(FORGERIES)(`${method} with %s is refused`, async (_what, headers) => {
      const before = changes;
      const reply = await t.fetch("/ui/api/target/change", {
        method,
        body: '{"a":1}',
        headers: { ...headers, cookie },
      });
      expect(reply.status).toBe(403);
      expect(await reply.json()).toEqual({ error: expect.any(String) });
      expect(changes).toBe(before);
    });
  }

  test.each([
    ["no cookie", {}],
    ["an invented cookie", { cookie: "reef_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }],
    ["an empty cookie", { cookie: "reef_session=" }],
    ["the admin token instead of a session", { authorization: "Bearer test-token" }],
  ])("%s is refused", async (_what, headers) => {
    const reply = await t.fetch("/ui/api/target/change", {
      method: "POST",
      headers: { ...GOOD, ...headers },
    });
    expect(reply.status).toBe(401);
  });
});

describe("logging in and out", () => {
  const form = () => new URLSearchParams({ token: t.authToken });

  test.each(FORGERIES.slice(0, 11))("logging in with %s is refused", async (_what, headers) => {
    const reply = await t.fetch("/ui/login", { method: "POST", body: form(), headers });
    expect(reply.status).toBe(403);
    expect(reply.headers.get("set-cookie")).toBeNull();
  });

  test("logging in by a plain post is refused", async () => {
    const body = `token=${t.authToken}`;
    const reply = await t.fetch("/ui/login", {
      method: "POST",
      body,
      headers: { "content-type": "text/plain" },
    });
    expect(reply.status).toBe(401);
    expect(reply.headers.get("set-cookie")).toBeNull();
  });

  test.each(FORGERIES.slice(0, 11))("logging out with %s is refused", async (_what, headers) => {
    const reply = await t.fetch("/ui/logout", { method: "POST", headers: { ...headers, cookie } });
    expect(reply.status).toBe(403);
    const session = await t.json("/ui/session", { headers: { cookie } });
    expect(session.data.authenticated).toBe(true);
  });

  test.each(FORGERIES.slice(8, 11))("asking for a link with %s is refused", async (_what, headers) => {
    const reply = await t.fetch("/auth/magic-link", { method: "POST", auth: true, headers });
    expect(reply.status).toBe(403);
  });

  test.each(FORGERIES)(
    "asking for a link with %s and without the token is refused",
    async (_what, headers) => {
      const reply = await t.fetch("/auth/magic-link", { method: "POST", headers: { ...headers, cookie } });
      expect([401, 403, 429]).toContain(reply.status);
      expect(await reply.json()).not.toHaveProperty("url");
    },
  );
});

describe("a panel's document", () => {
  const open = (dest: string) =>
    t.fetch("/ui/panel/target", {
      headers: { cookie, "sec-fetch-dest": dest, "sec-fetch-mode": "navigate" },
    });

  test("comes into a frame", async () => {
    expect(await (await open("iframe")).text()).toContain("<p>panel</p>");
  });

  test.each(["document", "frame", "object", "embed", "empty", "script", ""])(
    "is refused to a browser that wants it as %j, where no page around it would hold it",
    async (dest) => {
      const reply = await open(dest);
      expect(reply.status).toBe(403);
      expect(await reply.json()).toEqual({ error: expect.stringContaining("/ui/panels/target") });
    },
  );
});

describe("the address of a panel", () => {
  test("reaches its own service without a cookie", async () => {
    const reply = await t.fetch(`${panelApi}/target/change`, { method: "POST", headers: { origin: "null" } });
    expect(await reply.text()).toBe("changed");
    expect(reply.headers.get("access-control-allow-origin")).toBe("*");
  });

  test.each([
    ["another service", "/neighbour/change"],
    ["the dashboard", "/ui/session"],
    ["a way up", "/target/%2e%2e/neighbour/change"],
    ["a plain way up", "/target/../neighbour/change"],
    ["an escaped slash", "/target%2fchange"],
    ["an escaped letter", "/t%61rget/change"],
    ["an empty service", "//target/change"],
    ["a service that begins the same", "/target2/change"],
  ])("does not reach %s", async (_what, path) => {
    const before = changes;
    const reply = await t.fetch(panelApi + path, { method: "POST" });
    expect([403, 404]).toContain(reply.status);
    expect(changes).toBe(before);
  });

  test("that was invented reaches nothing, and says that it has expired", async () => {
    const reply = await t.fetch("/ui/panel-api/invented/target/change", { method: "POST" });
    expect(reply.status).toBe(403);
    expect(reply.headers.get("x-reef-panel")).toBe("expired");
  });

  test("does not work under a foreign host", async () => {
    const reply = await t.fetch(`${panelApi}/target/change`, {
      method: "POST",
      headers: { host: "evil.example" },
    });
    expect(reply.status).toBe(403);
  });

  test("dies with the session", async () => {
    const panel = await (await t.fetch("/ui/panel/target", { headers: { cookie: other } })).text();
    const api = new URL(/http:\/\/[^&"]*\/ui\/panel-api\/[\w-]+/.exec(panel)?.[0] ?? "").pathname;
    expect((await t.fetch(`${api}/target/change`)).status).toBe(200);
    await t.fetch("/ui/logout", { method: "POST", headers: { cookie: other, origin: `http://${HOST}` } });
    expect((await t.fetch(`${api}/target/change`)).status).toBe(403);
  });
});

describe("replies through the proxy", () => {
  test("never run as part of the dashboard and never set cookies", async () => {
    const reply = await t.fetch("/ui/api/target/page", { headers: { cookie } });
    expect(reply.headers.get("content-security-policy")).toContain("sandbox");
    expect(reply.headers.get("set-cookie")).toBeNull();
    expect(reply.headers.get("x-own")).toBe("kept");
  });

  test.each(["/ui/api/ui/session", "/ui/api/auth/magic-link", "/ui/api/%75i/session", "/ui/api/UI/session"])(
    "%s does not lead back to the dashboard",
    async (path) => {
      const reply = await t.fetch(path, { method: "POST", headers: { ...GOOD, cookie } });
      expect(reply.status).toBe(404);
    },
  );

  test.each(["/ui/api//evil.example/x", "/ui/api/http://evil.example/x", "/ui/api/\\\\evil.example/x"])(
    "%s leads nowhere outside",
    async (path) => {
      const reply = await t.fetch(path, { headers: { cookie } });
      expect([400, 404]).toContain(reply.status);
    },
  );
});
