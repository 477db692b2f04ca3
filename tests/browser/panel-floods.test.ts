/** Panels that say more than anybody can hear, in a real browser. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";
import { withPanel } from "../support/panel.js";

const script = (code: string) => `<p>loud</p><script>${code}</script>`;

/** Panels that send without end. */
const FLOODS = {
  "small-messages":
    "setInterval(() => { for (let i = 0; i < 5000; i++) parent.postMessage({ a: 1 }, '*'); }, 10);",
  toasts: "setInterval(() => { for (let i = 0; i < 5000; i++) Reef.toast('x'); }, 10);",
};

/** Panels whose messages take long to unpack or to turn into text. */
const HUGE = {
  "huge-toast": "parent.postMessage({ reef: 'toast', text: new Array(1e6).fill('ab') }, '*');",
  "huge-error": "parent.postMessage({ reef: 'error', message: new Array(3e5).fill('abcdefgh') }, '*');",
  "huge-texts":
    "setInterval(() => parent.postMessage({ reef: 'error', message: 'y'.repeat(5e6) }, '*'), 100);",
};

/** Replaces what the panel's own script may use, to get at the port or to have it send more than a text. */
const TAMPERING = `
  const huge = () => new Array(1e5).fill("ab");
  const got = [];
  MessagePort.prototype.postMessage = function () { got.push(this); };
  String.prototype.slice = String.prototype.substring = huge;
  window.String = huge;
  Object.defineProperty(Object.prototype, "height", { get: huge });
  Reef.toast("x".repeat(1e6), huge());
  dispatchEvent(new ErrorEvent("error", { message: "y".repeat(1e6) }));
  document.body.append("tampered, ports: " + got.length);`;

const SHOUTING = 'for (let i = 0; i < 40; i++) Reef.toast("W".repeat(250), "error");';

/** Notes how often the page looks into a message that came to its window, and how much came through ports. */
const COUNT_READS = `
  window.reads = 0;
  window.longest = 0;
  const { get } = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "data");
  Object.defineProperty(MessageEvent.prototype, "data", { get() {
    const data = get.call(this);
    if (this.target === window) window.reads++;
    else if (this.target instanceof MessagePort) window.longest = Math.max(window.longest, JSON.stringify(data).length);
    return data;
  } });`;

const loud = { ...FLOODS, ...HUGE, tampering: TAMPERING, shouting: SHOUTING };
const files = Object.fromEntries(
  Object.entries(loud).map(([name, code]) => [`${name}/index.ts`, withPanel(name, script(code))]),
);
files["calm/index.ts"] = withPanel("calm", "<p>calm as ever</p>");

describeInBrowser("panels that say too much", { files }, (t) => {
  const visit = (name: string, use: (page: Page) => Promise<void>) =>
    t.visit(`/ui/panels/${name}`, use, { init: COUNT_READS });

  const usable = async (page: Page) => {
    await page.getByRole("link", { name: "calm", exact: true }).click();
    await page.frameLocator("iframe").getByText("calm as ever").waitFor();
  };

  test.each(Object.keys(FLOODS))("are taken out, and nothing else suffers: %s", async (name) => {
    await visit(name, async (page) => {
      await page.getByText("too many messages").waitFor({ timeout: 20_000 });
      expect(await page.locator("iframe").count()).toBe(0);
      // It may be closed again before anybody can have looked.
      const opened = page.waitForEvent("frameattached");
      await page.getByRole("button", { name: "Reload panel" }).click();
      await opened;
      await page.getByText("too many messages").waitFor({ timeout: 20_000 });
      await usable(page);
    });
  });

  test.each(Object.keys(HUGE))("have no message unpacked but their small ones: %s", async (name) => {
    await visit(name, async (page) => {
      await page.frameLocator("iframe").getByText("loud").waitFor();
      await page.locator(".panel [role=status]").waitFor({ state: "detached" });
      await usable(page);
      expect(await page.evaluate<number>("reads")).toBe(0);
    });
  });

  test("leave room on a small screen, and their messages can be dismissed", async () => {
    const viewport = { width: 360, height: 640 };
    const { page, close } = await t.open("/ui/panels/shouting", { viewport });
    const dismiss = page.getByRole("button", { name: "Dismiss" });
    await dismiss.first().waitFor();
    await page.locator(".panel [role=status]").waitFor({ state: "detached" });
    expect(await dismiss.count()).toBeLessThanOrEqual(2);
    for (const part of [page.locator(".toasts"), dismiss.first(), dismiss.last()]) {
      const { y, height } = (await part.boundingBox()) ?? { y: -1, height: 0 };
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y + height).toBeLessThanOrEqual(viewport.height);
    }
    await dismiss.last().click();
    await dismiss.first().click();
    await dismiss.first().waitFor({ state: "detached" });
    await close();
  });

  test("cannot make the messages of their frame's own script larger", async () => {
    await visit("tampering", async (page) => {
      await page.frameLocator("iframe").getByText("tampered, ports: 0").waitFor();
      await page.locator(".panel [role=status]").waitFor({ state: "detached" });
      expect(await page.evaluate<number>("longest")).toBeWithin(1, 1000);
      await usable(page);
    });
  });
});
