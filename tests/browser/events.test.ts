/** The page of events in a real browser, over more of them than one request brings, and a server in trouble. */
import { beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";
import { eventually } from "../support/sandbox.js";

const EVENTS = 450;
/** Time for many more requests than there may be. */
const SETTLE_MS = 1000;

describeInBrowser("the page of events", { services: ["feed"] }, (t) => {
  beforeAll(async () => {
    for (let index = 0; index < EVENTS; index++) await publish(`number ${index}`);
  });

  const publish = (content: string) =>
    t.call("/feed/events", "POST", { type: "note", source: "test", content });

  const scrollToEnd = (page: Page) =>
    page.getByRole("tree").evaluate((tree) => {
      tree.scrollTop = tree.scrollHeight;
    });

  test("asks once for older ones while the server is in trouble, and again when it is told to", async () => {
    const { page, close } = await t.open("/ui/events");
    await page.getByText(/^2\d\d\+ events$/).waitFor();
    let asked = 0;
    await page.route(/\/feed\/events\?.*cursor=/, (route) => {
      asked++;
      return route.fulfill({ status: 503, json: { error: "in trouble" } });
    });
    await scrollToEnd(page);
    await page.getByRole("alert").filter({ hasText: "in trouble" }).waitFor();
    await page.waitForTimeout(SETTLE_MS);
    expect(asked).toBe(1);
    // Events that come now do not make it ask either.
    await publish("one more");
    await page.getByRole("button", { name: /new$/ }).waitFor();
    await scrollToEnd(page);
    await page.waitForTimeout(SETTLE_MS);
    expect(asked).toBe(1);
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.getByText(/^4\d\d\+ events$/).waitFor();
    await scrollToEnd(page);
    await page.getByText(/^\d+ events$/).waitFor();
    await scrollToEnd(page);
    await page.getByRole("treeitem").filter({ hasText: "number 0" }).waitFor();
    await close();
  }, 30_000);

  test("fills when the feed comes, also while its absence is being found out", async () => {
    for (const isSlow of [false, true]) {
      await t.call("/services/feed", "DELETE");
      const { page, close } = await t.open();
      const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
      await page.route(/\/feed\/events\?limit=200/, async (route) => {
        const response = await route.fetch();
        if (isSlow) await answered;
        await route.fulfill({ response });
      });
      await page.goto(`${t.url}/ui/events`);
      await page.getByText("The service “feed” is not loaded").waitFor();
      await page.getByText("Live", { exact: true }).waitFor();
      await t.call("/services/reload", "POST");
      await page.getByRole("link", { name: "feed", exact: true }).waitFor();
      answer();
      await page.getByRole("tree").waitFor();
      await close();
    }
  });

  test("has the numbers of types also when the feed comes while its absence is being found out", async () => {
    await t.call("/services/feed", "DELETE");
    const { page, close } = await t.open();
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const absences: number[] = [];
    await page.route("**/feed/stats", async (route) => {
      const response = await route.fetch();
      if (!response.ok()) absences.push(response.status());
      await answered;
      await route.fulfill({ response });
    });
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Events", exact: true }).click();
    await page.getByText("The service “feed” is not loaded").waitFor();
    await eventually(() => absences.length > 0, "the question");
    await t.call("/services/reload", "POST");
    await page.getByRole("tree").waitFor();
    answer();
    await page.getByRole("option", { name: /^note \(\d+\)$/ }).waitFor({ state: "attached" });
    await close();
  });
});
