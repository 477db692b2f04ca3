/** Pages of the dashboard that nobody sees, in a real browser. */
import { expect, test } from "bun:test";
import { describeInBrowser } from "../support/in-browser.js";
import { answering } from "../support/sandbox.js";

/** As in a tab that was opened in the background; `look()` brings it to the front. */
const HIDDEN = `
  let hidden = true;
  Object.defineProperty(Document.prototype, "hidden", { get: () => hidden });
  window.look = () => { hidden = false; document.dispatchEvent(new Event("visibilitychange")); };`;

/** More than the connections that a browser keeps to a host. */
const TABS = 8;

const files = { "greeter/index.ts": answering("greeter", "hello") };

describeInBrowser("a page that nobody sees", { files }, (t) => {
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
});
