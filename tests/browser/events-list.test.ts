/** The list of events in a real browser: what stands in it, where it stands, and what narrows it down. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { hasBrowser, openBrowser } from "../support/browser.js";
import { Dashboard } from "../support/dashboard.js";

describe.skipIf(!hasBrowser)("the list of events", () => {
  let browser: Browser;
  let dashboard: Dashboard;

  beforeAll(async () => {
    [browser, dashboard] = await Promise.all([openBrowser(), Dashboard.start({ services: ["feed"] })]);
  });
  afterAll(async () => {
    await browser?.close();
    await dashboard?.stop();
  });

  async function publish(content: string, more: Record<string, unknown> = {}): Promise<string> {
    const reply = await dashboard.call("/feed/events", "POST", {
      type: "note",
      source: "test",
      content,
      ...more,
    });
    return ((await reply.json()) as { id: string }).id;
  }

  const row = (page: Page, text: string) => page.getByRole("treeitem").filter({ hasText: text });

  test("has only what passes the filter, also beside an event that is open", async () => {
    const plan = await publish("the plan", { type: "plan" });
    await publish("a remark", { parentId: plan });
    const { page, close } = await dashboard.open(browser, `/ui/events/${plan}?type=note`);
    await page.getByRole("region", { name: "Event" }).getByText("the plan").waitFor();
    await row(page, "a remark").click();
    await page.getByRole("navigation", { name: "Came of" }).getByText("the plan").waitFor();
    await page.getByText(/^1 events?$/).waitFor();
    expect(await page.getByRole("treeitem").count()).toBe(1);
    await close();
  });
});
