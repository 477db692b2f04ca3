/** A hostile panel in a real browser: whatever it tries, it reaches its own service and nothing else. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Escape, escapes } from "../support/escapes.js";
import { describeInBrowser } from "../support/in-browser.js";
import { type Listeners, listen } from "../support/listeners.js";
import { eventually } from "../support/sandbox.js";

/** Tries what it was told to try and reports to its own service. */
const HOSTILE = `import { Hono } from "hono";
const routes = new Hono();
let attempts = [];
const results = {};
routes.put("/attempts", async (c) => { attempts = await c.req.json(); return c.json({}); });
routes.put("/results/:name", async (c) => { results[c.req.param("name")] = await c.req.json(); return c.json({}); });
routes.get("/results", (c) => c.json(results));
routes.get("/_panel", (c) => c.html('<p>Nothing to see.</p><script>' + attempts.map(({ name, code }) =>
  '(async () => { let escaped; try { escaped = await Promise.race([(async () => {' + code + '})(), new Promise((done) => setTimeout(done, 2000, "no answer"))]); } catch (e) { escaped = String(e); }' +
  'fetch(PANEL_API + "/hostile/results/" + encodeURIComponent(' + JSON.stringify(name) + '), { method: "PUT", body: JSON.stringify(escaped ?? null) }); })();'
).join("\\n") + '</script>'));
export default { name: "hostile", routes };
`;

const VICTIM = `import { Hono } from "hono";
const routes = new Hono();
let touched = 0;
routes.get("/secret", (c) => { touched++; return c.text("secret"); });
routes.get("/visit", (c) => { touched++; return c.html("<script>fetch('/ui/api/victim/secret')</script>"); });
routes.post("/count", (c) => { touched++; return c.text("ok"); });
routes.get("/touched", (c) => c.json({ touched }));
routes.get("/_panel", (c) => { touched++; return c.html("victim"); });
export default { name: "victim", routes };
`;

const OPEN = `import { Hono } from "hono";
const routes = new Hono();
routes.get("/data", (c) => c.text("data", 200, { "access-control-allow-origin": "*" }));
export default { name: "open", routes, requiresAuth: false };
`;

/** What a page must be given before "nothing has happened" means something. */
const SETTLE_MS = 1500;

const files = { "hostile/index.ts": HOSTILE, "victim/index.ts": VICTIM, "open/index.ts": OPEN };

describeInBrowser("a hostile panel", { files }, (t) => {
  let outside: Listeners;
  let all: Escape[];

  beforeAll(async () => {
    outside = await listen();
    all = escapes(outside, t.url);
  });
  afterAll(() => outside?.stop());

  const results = async () => (await (await t.call("/hostile/results")).json()) as Record<string, unknown>;
  const touched = async () =>
    ((await (await t.call("/victim/touched")).json()) as { touched: number }).touched;

  /** Opens the dashboard with the panel and lets it try. */
  async function attempt(attempts: Escape[]) {
    outside.seen.length = 0;
    await t.call("/hostile/attempts", "PUT", attempts);
    const context = await t.browser.newContext();
    const page = await context.newPage();
    const dialogs: string[] = [];
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await page.goto(await t.dashboard.link());
    await page.waitForURL(`${t.url}/ui`);
    await page.goto(`${t.url}/ui/panels/hostile`);
    await page.locator("iframe").waitFor();
    return { context, page, dialogs };
  }

  test("finds listeners that would notice", async () => {
    outside.seen.length = 0;
    const page = await t.browser.newPage();
    await page.setContent(`<img src="${outside.url}/control"><script>const p = new RTCPeerConnection({ iceServers: [{ urls: "stun:127.0.0.1:${outside.udpPort}" }] });
      p.createDataChannel("x"); p.createOffer().then((o) => p.setLocalDescription(o));</script>`);
    await eventually(
      () => outside.seen.includes("GET /control") && outside.seen.includes("udp"),
      "the control",
    );
    await page.close();
  });

  test("gets out by none of the ways that leave it where it is", async () => {
    const staying = all.filter(({ leaves }) => !leaves);
    expect(staying.length).toBeGreaterThan(40);
    const before = await touched();
    const { context, page, dialogs } = await attempt(staying);
    await eventually(async () => Object.keys(await results()).length >= staying.length, "all attempts");
    await page.waitForTimeout(SETTLE_MS);
    const escaped = Object.entries(await results()).filter(([, outcome]) => outcome === true);
    expect(escaped).toEqual([]);
    expect(outside.seen).toEqual([]);
    expect(dialogs).toEqual([]);
    expect(await touched()).toBe(before);
    expect(context.pages().length).toBe(1);
    expect(page.url()).toBe(`${t.url}/ui/panels/hostile`);
    // Its height has a limit, the dashboard around it works, and the session lives.
    expect((await page.locator("iframe").boundingBox())?.height).toBeLessThanOrEqual(8000);
    await page.getByRole("link", { name: "Services", exact: true }).click();
    await page.getByRole("link", { name: "victim", exact: true }).first().waitFor();
    await context.close();
  });

  test("gets out by no way that leads its frame elsewhere", async () => {
    const leaving = all.filter(({ leaves }) => leaves);
    expect(leaving.length).toBeGreaterThan(7);
    const before = await touched();
    for (const way of leaving) {
      const { context, page } = await attempt([way]);
      await page.waitForTimeout(SETTLE_MS / 2);
      expect({ [way.name]: outside.seen }).toEqual({ [way.name]: [] });
      expect(page.url()).toBe(`${t.url}/ui/panels/hostile`);
      const frames = page.frames().map((frame) => frame.url());
      expect(frames.filter((url) => url.startsWith(outside.url))).toEqual([]);
      await context.close();
    }
    expect(await touched()).toBe(before);
  }, 60_000);
});
