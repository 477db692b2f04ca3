/** Many open tabs of the dashboard, of which one has the connection, in a real browser. */
import { beforeEach, expect, test } from "bun:test";
import type { BrowserContext, Page } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";
import { eventually } from "../support/sandbox.js";

/** More than the connections that a browser keeps to a host. */
const TABS = 8;

/** Lets a test say whether somebody looks at a tab. */
const TURNS = `
  let hidden = false;
  Object.defineProperty(Document.prototype, "hidden", { get: () => hidden });
  window.turn = (way) => { hidden = way; document.dispatchEvent(new Event("visibilitychange")); };`;

describeInBrowser("open tabs", { services: ["feed"] }, (t) => {
  beforeEach(() => eventually(async () => (await streams()) === 0, "the tabs of other tests to be gone"));

  const streams = async (): Promise<number> => {
    const { streams } = (await (await t.call("/feed/stats")).json()) as { streams: { clients: number } };
    return streams.clients;
  };
  const publish = (content: string) =>
    t.call("/feed/events", "POST", { type: "note", source: "test", content });
  const isLive = (page: Page) => page.getByText("Live", { exact: true }).waitFor();
  const sees = (page: Page, text: string) =>
    page.getByRole("treeitem").filter({ hasText: text }).waitFor({ timeout: 20_000 });
  const all = (pages: Page[], what: (page: Page) => Promise<unknown>) => Promise.all(pages.map(what));

  async function openTabs(context: BrowserContext, count: number): Promise<Page[]> {
    const tabs = await Promise.all(Array.from({ length: count }, () => context.newPage()));
    // One after the other, as somebody opens them.
    for (const tab of tabs) {
      await tab.goto(`${t.url}/ui/events`);
      await isLive(tab);
    }
    return tabs;
  }

  test("share one stream, more of them than there are connections", async () => {
    const { page, close } = await t.open("/ui/events");
    await isLive(page);
    const tabs = [page, ...(await openTabs(page.context(), TABS - 1))];
    await publish("said to all");
    await all(tabs, (tab) => sees(tab, "said to all"));
    expect(await streams()).toBe(1);
    await close();
  }, 60_000);

  test("go on when the one that has it is closed, and miss nothing", async () => {
    const { page, close } = await t.open("/ui/events");
    await isLive(page);
    const tabs = await openTabs(page.context(), 3);
    await publish("before");
    await all(tabs, (tab) => sees(tab, "before"));
    await Promise.all([page.close(), publish("at the same moment"), publish("and this")]);
    await all(tabs, (tab) => sees(tab, "at the same moment"));
    await all(tabs, (tab) => sees(tab, "and this"));
    for (const tab of tabs)
      expect(await tab.getByRole("treeitem").filter({ hasText: "at the same" }).count()).toBe(1);
    await eventually(async () => (await streams()) === 1, "one stream");
    await close();
  }, 60_000);

  test("all say that the server is away, and all catch up when it is back", async () => {
    const { page, close } = await t.open("/ui/events");
    await isLive(page);
    await publish("long before");
    const tabs = [page, ...(await openTabs(page.context(), 2))];
    await t.dashboard.restart(async () => {
      await all(tabs, (tab) => tab.getByText(/Connection lost/).waitFor());
    });
    await publish("while it was away");
    await all(tabs, (tab) => sees(tab, "while it was away"));
    await all(tabs, (tab) => tab.getByText(/The server restarted; reconnected after/).waitFor());
    await close();
  }, 60_000);

  test("all say that the session is over, and all go on when it is there again", async () => {
    const { page, close } = await t.open("/ui/events");
    await isLive(page);
    const tabs = [page, ...(await openTabs(page.context(), 2))];
    await page.context().clearCookies();
    await t.call("/services/reload/ui", "POST");
    await all(tabs, (tab) => tab.getByText("Your session has expired.").waitFor());
    expect(await streams()).toBe(0);
    await page.goto(await t.dashboard.link());
    await isLive(page);
    // The others are led on from the page to log in.
    const [, other] = tabs as [Page, Page];
    await other.getByRole("link", { name: "Log in again" }).click();
    await other.getByRole("heading", { name: "Events" }).waitFor();
    await isLive(other);
    expect(other.url()).toBe(`${t.url}/ui/events`);
    await close();
  }, 60_000);

  test("hand it on after a minute in which nobody looks, and are told what they missed", async () => {
    const { page, close } = await t.open();
    await page.clock.install();
    await page.addInitScript(TURNS);
    await page.goto(`${t.url}/ui/events`);
    await isLive(page);
    const [other] = (await openTabs(page.context(), 1)) as [Page];
    await page.evaluate("turn(true)");
    await publish("still heard");
    await sees(page, "still heard");
    await page.clock.fastForward(61_000);
    await page.getByText("Connecting…", { exact: true }).waitFor();
    await publish("said behind its back");
    await sees(other, "said behind its back");
    expect(await streams()).toBe(1);
    expect(await page.getByText("said behind its back").count()).toBe(0);
    await page.evaluate("turn(false)");
    await sees(page, "said behind its back");
    await isLive(page);
    // That is no reason to say anything.
    expect(await page.getByText(/Reconnected|Connection lost/).count()).toBe(0);
    expect(await streams()).toBe(1);
    await close();
  }, 60_000);

  test("take it from one that the browser has frozen", async () => {
    const { page, close } = await t.open("/ui/events");
    await isLive(page);
    const context = page.context();
    const other = await context.newPage();
    await other.clock.install();
    await other.goto(`${t.url}/ui/events`);
    await isLive(other);
    const devtools = await context.newCDPSession(page);
    await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
    await publish("said to the frozen");
    for (let round = 0; round < 2; round++) {
      await other.clock.fastForward(20_000);
      await other.waitForTimeout(100);
    }
    await sees(other, "said to the frozen");
    await devtools.send("Page.setWebLifecycleState", { state: "active" });
    await publish("said to both");
    await sees(page, "said to the frozen");
    await all([page, other], (tab) => sees(tab, "said to both"));
    await close();
  }, 60_000);

  test("have their own as well where the browser refuses to let them talk", async () => {
    const { page, close } = await t.open();
    await page.addInitScript("window.BroadcastChannel = function () { throw new Error('blocked'); }");
    await page.goto(`${t.url}/ui/events`);
    await isLive(page);
    await publish("said to one that is alone");
    await sees(page, "said to one that is alone");
    await close();
  }, 60_000);

  test("each have their own where the browser lets none be shared", async () => {
    const { page, close } = await t.open();
    await page
      .context()
      .addInitScript('Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined })');
    await page.clock.install();
    await page.addInitScript(TURNS);
    await page.goto(`${t.url}/ui/events`);
    await isLive(page);
    const tabs = [page, ...(await openTabs(page.context(), 1))];
    await publish("said apart");
    await all(tabs, (tab) => sees(tab, "said apart"));
    expect(await streams()).toBe(2);
    // Then whoever is not looked at soon lets the others have it.
    await page.evaluate("turn(true)");
    await page.clock.fastForward(6000);
    await eventually(async () => (await streams()) === 1, "the tab that nobody sees to let go");
    await publish("said behind its back, too");
    await page.evaluate("turn(false)");
    await sees(page, "said behind its back, too");
    await close();
  }, 60_000);
});
