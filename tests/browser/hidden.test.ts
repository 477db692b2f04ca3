/** Pages of the dashboard that nobody sees, in a real browser. */
import { expect, test } from "bun:test";
import { describeInBrowser } from "../support/in-browser.js";
import { answering } from "../support/sandbox.js";

/** As in a tab that was opened in the background; `look()` brings it to the front. */
const HIDDEN = `
  let hidden = !window.seenAtFirst;
  Object.defineProperty(Document.prototype, "hidden", { get: () => hidden });
  const turn = (way) => { hidden = way; document.dispatchEvent(new Event("visibilitychange")); };
  window.look = () => turn(false);
  window.leave = () => turn(true);`;

/** More than the connections that a browser keeps to a host. */
const TABS = 8;

const files = { "greeter/index.ts": answering("greeter", "hello") };

describeInBrowser("a page that nobody sees", { services: ["feed"], files }, (t) => {
  test("takes no connection from the others, and has its own when it is looked at", async () => {
    const { page, close } = await t.open("/ui/services");
    await page.getByText("Live", { exact: true }).waitFor();
    const context = page.context();
    await context.addInitScript(HIDDEN);
    const tabs = await Promise.all(Array.from({ length: TABS }, () => context.newPage()));
    for (const tab of tabs) {
      await tab.goto(`${t.url}/ui/services`, { waitUntil: "commit", timeout: 10_000 });
      await tab.getByRole("link", { name: "greeter" }).waitFor({ timeout: 10_000 });
    }
    const [first] = tabs;
    expect(await first?.locator(".link").textContent()).toContain("Connecting");
    await first?.evaluate("look()");
    await first?.getByText("Live", { exact: true }).waitFor();
    await close();
  });

  test("takes none for its panel's stream either", async () => {
    const { page, close } = await t.open("/ui/panels/feed");
    await page
      .frameLocator("iframe")
      .getByText(/^(live|no events yet)$/)
      .waitFor();
    const context = page.context();
    await context.addInitScript(HIDDEN);
    const tabs = await Promise.all(Array.from({ length: TABS }, () => context.newPage()));
    for (const tab of tabs) {
      await tab.goto(`${t.url}/ui/panels/feed`, { waitUntil: "commit", timeout: 10_000 });
      await tab.frameLocator("iframe").getByText("loading", { exact: true }).waitFor({ timeout: 10_000 });
    }
    const [first] = tabs;
    await first?.locator("iframe").contentFrame().locator("body").evaluate("look()");
    await first
      ?.frameLocator("iframe")
      .getByText(/^(live|no events yet)$/)
      .waitFor();
    await close();
  });

  test("lets its panel's stream go after a minute, and goes on with it when it is looked at", async () => {
    const { page, close } = await t.open();
    await page.clock.install();
    await page.addInitScript(`window.seenAtFirst = true; ${HIDDEN}`);
    await page.goto(`${t.url}/ui/panels/feed`);
    const panel = page.frameLocator("iframe");
    const body = panel.locator("body");
    await panel.getByText(/^(live|no events yet)$/).waitFor();
    await body.evaluate("leave()");
    await page.clock.fastForward(61_000);
    await panel.getByText("disconnected, reconnecting").waitFor();
    await page.clock.fastForward(5000);
    await t.call("/feed/events", "POST", { type: "note", source: "test", content: "Said to nobody" });
    await page.waitForTimeout(500);
    expect(await panel.getByText("Said to nobody").count()).toBe(0);
    await body.evaluate("look()");
    await panel.getByText("Said to nobody").waitFor();
    expect(await panel.getByText("Said to nobody").count()).toBe(1);
    await close();
  });
});
