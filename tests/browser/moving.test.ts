/** Moving about in the dashboard, in a real browser: where one is on a page, and where the keyboard is. */
import { expect, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";
import { answering, eventually as patiently } from "../support/sandbox.js";

/** Below the patience of a test, so that the browser is closed in order. */
const eventually = (check: () => Promise<boolean>, what: string) => patiently(check, what, 10_000);

const files = {
  "greeter/index.ts": answering("greeter", "hello"),
  "leaving/index.ts": answering("leaving", "still here"),
};

describeInBrowser("the dashboard", { services: ["installer"], files }, (t) => {
  const visit = (path: string, use: (page: Page) => Promise<void>, init?: string) =>
    t.visit(path, use, { init, viewport: { width: 900, height: 400 } });

  const focused = (page: Page) => page.evaluate<string>("document.activeElement.id");
  const scrolled = (page: Page) => page.evaluate<number>("Math.round(scrollY)");

  test("skips to the content, and the address stays", async () => {
    await visit("/ui/services/greeter", async (page) => {
      await page.getByRole("heading", { name: "greeter" }).waitFor();
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await eventually(async () => (await focused(page)) === "content", "the focus in the content");
      expect(page.url()).toBe(`${t.url}/ui/services/greeter`);
    });
  });

  test.each([
    ["page", "/ui/services#content", "/ui/services"],
    ["query", "/ui/services/greeter?q=a#content", "/ui/services/greeter?q=a"],
  ])("follows a link with a hash to another %s", async (_, to, arrived) => {
    await visit("/ui/services/greeter", async (page) => {
      await page.getByRole("heading", { name: "greeter" }).waitFor();
      await page.evaluate(`{
        const link = Object.assign(document.createElement("a"), { href: "${to}", textContent: "with a hash" });
        document.getElementById("content").prepend(link);
        link.click();
      }`);
      await eventually(async () => page.url() === t.url + arrived, "the other address");
    });
  });

  test("begins each page at its top, and goes back to where one was", async () => {
    await visit("/ui/services/greeter", async (page) => {
      await page.getByRole("heading", { name: "Routes" }).waitFor();
      await page.evaluate("scrollTo(0, 300)");
      await page.keyboard.press("g");
      await page.keyboard.press("s");
      await page.getByRole("heading", { name: "Services" }).waitFor();
      expect(await scrolled(page)).toBe(0);
      await page.goBack();
      await eventually(async () => (await scrolled(page)) === 300, "the place where one was");
      await page.goForward();
      await eventually(async () => (await scrolled(page)) === 0, "the top");
    });
  });

  test("keeps the keyboard in the content when what had it is gone", async () => {
    await visit("/ui/services/leaving", async (page) => {
      await page.getByRole("button", { name: "Unload" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Unload" }).click();
      await page.getByRole("button", { name: "Unload" }).waitFor({ state: "detached" });
      await eventually(async () => (await focused(page)) === "content", "the focus in the content");
    });
  });

  test("keeps the keyboard on a button while what it does is under way, and after a question", async () => {
    const isOn = (button: Locator) => button.evaluate((element) => element === document.activeElement);
    await visit("/ui/services/greeter", async (page) => {
      const deploy = page.getByRole("button", { name: "Deploy", exact: true });
      await deploy.focus();
      await page.keyboard.press("Enter");
      await page.locator(".deploy").waitFor();
      expect(await isOn(deploy)).toBe(true);
      await page.getByText("The new version is serving.").waitFor();
      expect(await isOn(deploy)).toBe(true);
    });
    await visit("/ui/installer", async (page) => {
      await page.getByLabel("Source").fill("user/repo");
      const install = page.getByRole("button", { name: /^Install/ });
      await install.focus();
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect(await isOn(install)).toBe(true);
    });
  });

  const NO_CLIPBOARD = "Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined })";

  test("shows a command line to be copied by hand where there is no clipboard", async () => {
    await visit(
      "/ui/services",
      async (page) => {
        await page.getByRole("button", { name: "Copy as curl: POST /services/reload", exact: true }).click();
        const text = page.getByRole("dialog").getByRole("textbox");
        expect(await text.inputValue()).toContain(`curl -X POST ${t.url}/services/reload`);
        expect(await page.evaluate<string>("getSelection().toString()")).toBe(await text.inputValue());
      },
      NO_CLIPBOARD,
    );
  });
});
