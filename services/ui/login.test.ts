import { afterAll, afterEach, beforeAll, describe, expect, setSystemTime, test } from "bun:test";
import { createTestHarness, type TestHarness } from "../../src/core/testing.js";
import { cookieOf } from "../../tests/support/session.js";
import { createUi } from "./index.js";
import { safeNext } from "./login.js";

const ORIGIN = { origin: "http://localhost" };
let t: TestHarness;
beforeAll(async () => {
  t = await createTestHarness({ services: [createUi()] });
});
afterAll(() => t.cleanup());
afterEach(() => void setSystemTime());

const logIn = (form: Record<string, string>) =>
  t.fetch("/ui/login", { method: "POST", body: new URLSearchParams(form), headers: ORIGIN });

describe("the session's cookie", () => {
  test("is out of reach of scripts and of other sites, and goes to the dashboard only", async () => {
    const reply = await logIn({ token: "test-token" });
    const cookie = reply.headers.get("set-cookie") ?? "";
    for (const part of ["HttpOnly", "SameSite=Strict", "Path=/ui", "Max-Age=604800"])
      expect(cookie).toContain(part);
    expect(cookie).not.toContain("Secure");
    expect(cookie).not.toContain("test-token");
    expect([reply.status, reply.headers.get("location")]).toEqual([303, "/ui"]);
  });

  test("is for encrypted connections only, where there is one", async () => {
    const headers = { ...ORIGIN, "x-forwarded-proto": "https" };
    const body = new URLSearchParams({ token: "test-token" });
    const reply = await t.fetch("/ui/login", { method: "POST", body, headers });
    expect(reply.headers.get("set-cookie")).toContain("Secure");
    const link = await t.json("/auth/magic-link", { method: "POST", auth: true, headers });
    expect(link.data.url).toStartWith("https://localhost/ui/login?token=");
  });

  test("opens a session that says how long it lasts, and is forgotten at logging out", async () => {
    setSystemTime(new Date("2026-03-01T12:00:00.000Z"));
    const cookie = cookieOf(await logIn({ token: "test-token" }));
    const session = () => t.json("/ui/session", { headers: { cookie } });
    const expiresAt = "2026-03-08T12:00:00.000Z";
    expect((await session()).data).toEqual({ authenticated: true, expiresAt, daysLeft: 7 });
    setSystemTime(new Date("2026-03-01T12:00:00.001Z"));
    expect((await session()).data).toEqual({ authenticated: true, expiresAt, daysLeft: 6 });
    const reply = await t.fetch("/ui/logout", { method: "POST", headers: { ...ORIGIN, cookie } });
    expect(reply.headers.get("set-cookie")).toContain("Max-Age=0");
    expect((await t.json("/ui/session", { headers: { cookie } })).data).toEqual({ authenticated: false });
    expect((await t.fetch("/ui/panels", { headers: { cookie } })).status).toBe(401);
  });
});

test.each([
  [
    "breaks off",
    "multipart/form-data; boundary=x",
    '--x\r\nContent-Disposition: form-data; name="token"\r\n',
  ],
  ["has no boundary", "multipart/form-data", "token=test-token"],
  ["is something else", "multipart/form-data; boundary=x", "\u0000\u0001"],
])("a form that %s is refused as such, and nothing of it is logged", async (_what, type, body) => {
  const lines = () => t.logs.lines("ui").length;
  const before = lines();
  const reply = await t.json("/ui/login", {
    method: "POST",
    body,
    headers: { ...ORIGIN, "content-type": type },
  });
  expect([reply.status, reply.data]).toEqual([400, { error: "the request body is not a valid form" }]);
  expect(lines()).toBe(before);
});

describe("after logging in", () => {
  test.each([
    ["/ui/services/board", "/ui/services/board"],
    ["/ui", "/ui"],
    ["//evil.example", "/ui"],
    ["/ui//evil.example", "/ui"],
    ["https://evil.example/ui", "/ui"],
    ["/ui/..//evil.example", "/ui"],
    ["/ui\\evil", "/ui"],
    ["/ui/x\r\nset-cookie: a=b", "/ui"],
    [undefined, "/ui"],
  ])("%p leads to %s", (asked, to) => {
    expect(safeNext(asked)).toBe(to);
  });
});

describe("pages for strangers", () => {
  test.each(["/ui", "/ui/services/board", "/ui/nowhere", "/ui/login"])(
    "%s is the login form",
    async (path) => {
      const reply = await t.fetch(path);
      expect(reply.status).toBe(path === "/ui/login" ? 200 : 401);
      const policy = reply.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain("unsafe");
      expect(await reply.text()).toContain('name="token"');
    },
  );

  test.each([
    ["http", undefined],
    ["https", "https"],
  ])("the call that makes a link goes to %s where a browser came by that", async (scheme, forwarded) => {
    const reply = await t.fetch("/ui/login", {
      headers: forwarded ? { "x-forwarded-proto": forwarded } : {},
    });
    expect(await reply.text()).toContain(` ${scheme}://localhost/auth/magic-link`);
  });

  test("a link that is no good says so, without showing what it was", async () => {
    const reply = await t.fetch("/ui/login?token=%3Cscript%3E");
    expect(reply.status).toBe(401);
    const text = await reply.text();
    expect(text).toContain("used or has expired");
    expect(text).not.toContain("<script>alert");
  });
});

// Last: from here on this address has failed too often.
test("after ten wrong tokens further guesses have to wait, but neither the right token nor a link does", async () => {
  for (let index = 0; index < 10; index++) await logIn({ token: `wrong ${index}` });
  const guesses = async () => [
    (await logIn({ token: "one more" })).status,
    (await t.fetch("/ui/login?token=guessed")).status,
    (await t.fetch("/auth/magic-link", { method: "POST", auth: "wrong" })).status,
  ];
  expect(await guesses()).toEqual([429, 429, 429]);
  const reply = await logIn({ token: "test-token" });
  expect([reply.status, reply.headers.get("set-cookie")]).toEqual([303, expect.stringContaining("HttpOnly")]);
  const { data } = await t.json("/auth/magic-link", { method: "POST", auth: true });
  const { pathname, search } = new URL(data.url);
  const opened = await t.fetch(pathname + search);
  expect([opened.status, opened.headers.get("set-cookie")]).toEqual([
    200,
    expect.stringContaining("HttpOnly"),
  ]);
  expect(await guesses()).toEqual([429, 429, 429]);
  expect((await t.fetch(pathname + search)).status).toBe(429);
});
