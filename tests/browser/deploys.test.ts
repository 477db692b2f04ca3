/** Deploys, roll-backs and unloading, in a real browser over the real server. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { hasBrowser, openBrowser } from "../support/browser.js";
import { Dashboard } from "../support/dashboard.js";
import { answering } from "../support/sandbox.js";

describe.skipIf(!hasBrowser)("the dashboard", () => {
  let browser: Browser;
  let dashboard: Dashboard;

  beforeAll(async () => {
    const files = {
      "greeter/index.ts": answering("greeter", "one"),
      "leaving/index.ts": answering("leaving", "still here"),
    };
    [browser, dashboard] = await Promise.all([openBrowser(), Dashboard.start({ files })]);
  });
  afterAll(async () => {
    await browser?.close();
    await dashboard?.stop();
  });

  async function visit(path: string, use: (page: Page) => Promise<void>): Promise<void> {
    const { page, close } = await dashboard.open(browser, path);
    await use(page);
    await close();
  }

  test("does not say that something serves where nothing did", async () => {
    dashboard.sandbox.services({ "torn/index.ts": "export default {" });
    await visit("/ui/services", async (page) => {
      await page.getByLabel("Folder to deploy").fill("torn");
      await page.getByRole("button", { name: "Deploy", exact: true }).click();
      await page.locator(".deploy .bad-text").waitFor();
      expect(await page.locator(".deploy").textContent()).not.toContain("still does");
    });
  });

  test("deploys a folder once, however often the button is pressed meanwhile", async () => {
    dashboard.sandbox.services({ "fresh/index.ts": answering("fresh", "new") });
    await visit("/ui/services", async (page) => {
      let deploys = 0;
      await page.route("**/ui/api/services/deploy", (route) => {
        deploys++;
        return route.continue();
      });
      await page.getByLabel("Folder to deploy").fill("fresh");
      await page.getByRole("button", { name: "Deploy", exact: true }).dblclick();
      await page.getByText("The new version serves.").waitFor();
      expect(deploys).toBe(1);
      expect(await page.getByRole("button", { name: "Deploy", exact: true }).isEnabled()).toBe(true);
    });
  });

  test("does not say how a deploy ended whose answer was lost", async () => {
    await visit("/ui/services/leaving", async (page) => {
      await page.route("**/ui/api/services/deploy", (route) => route.abort());
      await page.getByRole("button", { name: "Deploy", exact: true }).click();
      await page.getByText("The connection was lost while leaving was deployed").waitFor();
      expect(await page.locator(".deploy").count()).toBe(0);
      expect(await page.getByRole("button", { name: "Deploy", exact: true }).isEnabled()).toBe(true);
    });
  });

  test("rolls back to the version that was shown, also when somebody else has done so meanwhile", async () => {
    dashboard.sandbox.services({ "greeter/index.ts": answering("greeter", "two") });
    await dashboard.call("/services/deploy", "POST", { name: "greeter" });
    const said = async () => (await dashboard.call("/greeter")).text();
    expect(await said()).toBe("two");
    await visit("/ui/services/greeter", async (page) => {
      await page.getByRole("button", { name: "Roll back", exact: true }).click();
      const sure = page.getByRole("dialog").getByRole("button", { name: "Roll back" });
      await sure.waitFor();
      await dashboard.call("/services/rollback/greeter", "POST", {});
      expect(await said()).toBe("one");
      await sure.click();
      await page.getByText("greeter was rolled back.").waitFor();
      expect(await said()).toBe("one");
    });
  });
});
