/** The feed's panel in a real browser, from a server to which nothing has happened yet. */
import { expect, test } from "bun:test";
import type { FrameLocator, Page } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";

/** More than the time after which a panel that has lost its stream asks again. */
const QUIET_MS = 5000;

describeInBrowser("the feed's panel", { services: ["feed"] }, (t) => {
  const publish = (content: string, parentId?: string) =>
    t.call("/feed/events", "POST", { type: "note", source: "test", content, parentId });

  async function visit(
    use: (panel: FrameLocator, page: Page) => Promise<void>,
    watch: (page: Page) => unknown = () => undefined,
  ): Promise<void> {
    const { page, strangers, complaints, close } = await t.open();
    await watch(page);
    await page.goto(`${t.url}/ui/panels/feed`);
    await use(page.frameLocator("iframe"), page);
    expect(strangers).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  }

  test("waits for the first event on one connection, and shows it", async () => {
    const streams: string[] = [];
    const watch = (page: Page) =>
      page.on("request", (request) => request.url().includes("/feed/stream") && streams.push(request.url()));
    await visit(async (panel, page) => {
      await panel.getByRole("status").filter({ hasNotText: "loading" }).waitFor();
      await page.waitForTimeout(QUIET_MS);
      expect(streams.length).toBeLessThanOrEqual(1);
      // A server that starts slowly has told of services that joined late.
      expect(await panel.getByRole("status").textContent()).toMatch(/^(no events yet|live)$/);
      await publish("The first of all");
      await panel.getByText("The first of all").waitFor();
      await panel.getByRole("status").filter({ hasText: "live" }).waitFor();
    }, watch);
  }, 30_000);

  test("shows the latest first, once each, and what words find", async () => {
    const { id } = (await (await publish("About boats")).json()) as { id: string };
    await publish("About sheds", id);
    await visit(async (panel) => {
      const items = panel.getByRole("listitem").filter({ hasText: "About" });
      await publish("About trees");
      await items.filter({ hasText: "About trees" }).waitFor();
      const texts = (await items.allTextContents()).map((text) => /About \w+$/.exec(text)?.[0]);
      expect(texts).toEqual(["About trees", "About sheds", "About boats"]);
      await panel.getByRole("searchbox").fill("sheds");
      await panel.getByRole("searchbox").press("Enter");
      await panel.getByRole("status").filter({ hasText: "1 found" }).waitFor();
      expect(await items.count()).toBe(1);
      await publish("About sheds that nobody looked for");
      await panel.getByRole("searchbox").fill("");
      await panel.getByRole("searchbox").press("Enter");
      await items.filter({ hasText: "that nobody looked for" }).waitFor();
      expect(await items.count()).toBe(4);
    });
  });

  test("says the day of what was not today", async () => {
    await publish("Of yesterday");
    const tomorrow = Date.now() + 86_400_000;
    await visit(
      async (panel) => {
        const time = panel.getByRole("listitem").filter({ hasText: "Of yesterday" }).getByRole("time");
        const day = await time.evaluate((shown) =>
          new Date((shown as HTMLTimeElement).dateTime).toLocaleDateString(),
        );
        expect(await time.textContent()).toContain(day);
      },
      (page) => page.clock.setFixedTime(tomorrow),
    );
  });

  test("goes on by itself after the feed was reloaded", async () => {
    await visit(async (panel) => {
      await panel.getByRole("status").filter({ hasText: "live" }).waitFor();
      await t.call("/services/reload/feed", "POST");
      await publish("After the reload");
      await panel.getByText("After the reload").waitFor();
      expect(await panel.getByText("After the reload").count()).toBe(1);
    });
  });
});
