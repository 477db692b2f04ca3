import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTestHarness, type TestHarness } from "../../src/core/testing.js";
import { logIn } from "../../tests/support/session.js";
import { createUi } from "./index.js";
import { safeNext } from "./login.js";

const ORIGIN = { origin: "http://localhost" };
const NAVIGATION = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const FOREIGN = { ...NAVIGATION, "sec-fetch-site": "cross-site" };
const DEEP = "/ui/events?type=note&q=two%20words";

let t: TestHarness;
let cookie: string;
beforeAll(async () => {
  t = await createTestHarness({ services: [createUi()] });
  cookie = await logIn(t, t.authToken);
});
afterAll(() => t.cleanup());

const open = async (path: string, headers: Record<string, string>) => {
  const reply = await t.fetch(path, { headers });
  return { status: reply.status, text: await reply.text() };
};

describe("a page that another site links to", () => {
  test("loads itself anew, with which the cookie comes along, and asks for the token only then", async () => {
    const first = await open(DEEP, FOREIGN);
    expect(first.status).toBe(200);
    expect(first.text).toContain(
      'http-equiv="refresh" content="0; url=/ui/events?type=note&amp;q=two%20words"',
    );
    expect(first.text).not.toContain('name="token"');
    const own = { ...NAVIGATION, "sec-fetch-site": "same-origin" };
    const second = await open(DEEP, own);
    expect([second.status, second.text.includes('name="token"')]).toEqual([401, true]);
    expect((await open(DEEP, { ...own, cookie })).text).toContain('id="app"');
  });

  test.each([
    ["in a frame", { ...FOREIGN, "sec-fetch-dest": "iframe" }],
    ["by a script", { ...FOREIGN, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" }],
  ])("does not when it is opened %s", async (_, headers) => {
    expect((await open(DEEP, headers)).status).toBe(401);
  });

  test("lets nothing be changed from there", async () => {
    for (const path of ["/ui/api/services/reload", "/ui/logout", "/ui/login"]) {
      const reply = await t.fetch(path, { method: "POST", headers: { ...FOREIGN, cookie } });
      expect(reply.status).toBe(403);
    }
  });
});

describe("the page to log in leads who is logged in on", () => {
  const led = async (path: string, headers: Record<string, string>) => {
    const reply = await t.fetch(path, { headers });
    return [reply.status, reply.headers.get("location")];
  };
  const next = (path: string) => `/ui/login?next=${encodeURIComponent(path)}`;

  test.each([
    [next(DEEP), DEEP],
    ["/ui/login", "/ui"],
    [next("//evil.example"), "/ui"],
    [next("/ui/panel/board"), "/ui"],
    ["/ui/login?token=used", "/ui"],
  ])("from %s to %s", async (path, to) => {
    expect(await led(path, { cookie })).toEqual([302, to]);
  });

  test("also when another site links there, which leaves the cookie out", async () => {
    const { status, text } = await open(next(DEEP), FOREIGN);
    expect([status, text.includes('content="0; url=/ui/events?type=note&amp;q=two%20words"')]).toEqual([
      200,
      true,
    ]);
    expect(text).not.toContain('name="token"');
  });

  test("but nobody whose session is not good", async () => {
    expect(await led(next(DEEP), { cookie: "reef_session=made-up" })).toEqual([200, null]);
  });

  test("and a link that is good is used up all the same", async () => {
    const { data } = await t.json("/auth/magic-link", { method: "POST", auth: true });
    const { pathname, search } = new URL(data.url);
    expect((await t.fetch(pathname + search, { headers: { cookie } })).headers.get("set-cookie")).toContain(
      "reef_session=",
    );
    expect(await led(pathname + search, { cookie })).toEqual([302, "/ui"]);
  });
});

describe("after logging in", () => {
  test.each([
    [DEEP, DEEP],
    ["/ui/tools?q=a%26b", "/ui/tools?q=a%26b"],
    ["/ui?x=//evil.example", "/ui?x=//evil.example"],
    ["/ui?x=\r\nset-cookie: a=b", "/ui"],
    ['/ui?x="><script>', "/ui"],
    ["/ui?x\\y", "/ui"],
    ["/uievil?x", "/ui"],
    ["/ui/services/../events?type=note", "/ui/events?type=note"],
    ["/ui/panels/board", "/ui/panels/board"],
    ["/ui/panels", "/ui"],
    ["/ui/panel/board", "/ui"],
    ["/ui/p%61nel/board", "/ui"],
    ["/ui/panels/../panel/board", "/ui"],
    ["/ui/panels/%2e%2e/panel/board", "/ui"],
    ["/ui/panels/.%2E/panel/board", "/ui"],
    ["/ui/../board/page", "/ui"],
    ["/ui/%2e%2e/board/page", "/ui"],
    ["/ui/api/board/page", "/ui"],
    ["/ui/events/../api/board/page", "/ui"],
    ["/ui/servicesx/board", "/ui"],
    ["/ui/nowhere", "/ui"],
  ])("%p leads to %s", (asked, to) => {
    expect(safeNext(asked)).toBe(to);
  });

  test("one is where one wanted to be, filter and all", async () => {
    const field = `name="next" value="/ui/events?type=note&amp;q=two%20words"`;
    expect((await open(DEEP, {})).text).toContain(field);
    expect((await open(`/ui/login?next=${encodeURIComponent(DEEP)}`, {})).text).toContain(field);
    expect((await open("/ui/login?next=//evil.example", {})).text).toContain('name="next" value="/ui"');
  });
});

test("pages of the dashboard are served as such, and what leads nowhere with 404", async () => {
  const names = ["services", "events", "broker", "tools", "agents", "installer"];
  for (const path of ["/ui", ...names.map((name) => `/ui/${name}`), "/ui/services/board", "/ui/panels/board"])
    expect([path, (await open(path, { cookie })).status]).toEqual([path, 200]);
  for (const path of ["/ui/nowhere", "/ui/servicesx", "/ui/x/services"]) {
    const { status, text } = await open(path, { cookie });
    expect([path, status, text.includes('id="app"')]).toEqual([path, 404, true]);
  }
});

// Last: from here on this address has failed too often.
test("too many wrong tokens and links are answered with the form, which says so", async () => {
  const guess = () => {
    const body = new URLSearchParams({ token: "wrong", next: DEEP });
    return t.fetch("/ui/login", { method: "POST", body, headers: ORIGIN });
  };
  for (let index = 0; index < 10; index++) expect((await guess()).status).toBe(401);
  for (const reply of [await guess(), await t.fetch("/ui/login?token=guessed")]) {
    expect([reply.status, reply.headers.get("content-type")]).toEqual([
      429,
      expect.stringContaining("text/html"),
    ]);
    const text = await reply.text();
    expect(text).toContain('role="alert"');
    expect(text).toContain("Too many");
    expect(text).toContain('name="token"');
  }
  expect(await (await t.fetch("/auth/magic-link", { method: "POST", auth: "wrong" })).json()).toHaveProperty(
    "error",
  );
});
