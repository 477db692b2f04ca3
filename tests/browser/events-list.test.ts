/** The list of events in a real browser: what stands in it, where it stands, and what narrows it down. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { hasBrowser, openBrowser } from "../support/browser.js";
import { Dashboard } from "../support/dashboard.js";

/** Time for what was typed to be taken up. */
const SETTLE_MS = 600;

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

  test("is narrowed down by what is typed, which stays as it is typed", async () => {
    await publish("hello world");
    const { page, close } = await dashboard.open(browser, "/ui/events?type=note");
    const field = page.getByRole("searchbox");
    const asked = (q: string) => page.waitForURL((url) => url.searchParams.get("q") === q);
    await field.pressSequentially("hello ");
    await asked("hello");
    expect(await field.inputValue()).toBe("hello ");
    await field.pressSequentially("world");
    await asked("hello world");
    await row(page, "hello world").waitFor();
    // Slowly enough for each letter to be taken up before the next.
    await field.press("Home");
    await field.pressSequentially("oh ", { delay: SETTLE_MS });
    await asked("oh hello world");
    expect(await field.inputValue()).toBe("oh hello world");
    await close();
  });

  test("is narrowed down by what the address says, and not by what was typed before", async () => {
    const { page, close } = await dashboard.open(browser, "/ui/events?type=note");
    const field = page.getByRole("searchbox");
    await field.fill("zzznothing");
    await page.getByText("Nothing matches").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    expect(await field.inputValue()).toBe("");
    await row(page, "a remark").waitFor();
    await page.evaluate(
      "history.pushState(null, '', '/ui/events?q=remark'); dispatchEvent(new Event('popstate'))",
    );
    await row(page, "hello world").first().waitFor({ state: "detached" });
    expect(await field.inputValue()).toBe("remark");
    // What is still being typed is let go as well.
    await field.fill("zzznothing");
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForTimeout(SETTLE_MS);
    expect([await field.inputValue(), new URL(page.url()).search]).toEqual(["", ""]);
    await field.fill("zzznothing");
    await page.getByRole("link", { name: "Agents", exact: true }).click();
    await page.waitForTimeout(SETTLE_MS);
    expect(page.url()).toEndWith("/ui/agents");
    expect(new URL(page.url()).search).toBe("");
    await close();
  });
});
