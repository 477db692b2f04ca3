/** What the dashboard shows of many services in trouble, of a server that is away and of a session that is over. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";
import { withPanel } from "../support/panel.js";
import { answering, eventually } from "../support/sandbox.js";

const FAILING = 12;
const TEXT = "long words ".repeat(300);
const failing = (name: string, why: string) =>
  `export default { name: "${name}", init() { throw new Error(${JSON.stringify(why)}); } };`;
const number = (index: number) => String(index).padStart(2, "0");

const files = {
  ...Object.fromEntries(
    Array.from({ length: FAILING }, (_, index) => [
      `failing-${number(index)}/index.ts`,
      failing(`failing-${number(index)}`, index === 0 ? TEXT : "no database"),
    ]),
  ),
  "wordy/index.ts": answering("wordy", "hello", `description: ${JSON.stringify(TEXT)},`),
  "shown/index.ts": withPanel("shown", "<p>the panel</p>"),
};

describeInBrowser("the dashboard", { services: ["feed"], files }, (t) => {
  const height = async (page: Page, selector: string) =>
    (await page.locator(selector).first().boundingBox())?.height;
  const isLive = (page: Page) => page.getByText("Live", { exact: true }).waitFor();

  test("tells briefly of the first services in trouble, by name, and where all of them are", async () => {
    await t.visit("/ui", async (page) => {
      const all = page.getByRole("link", { name: `Show all ${FAILING}` });
      await all.waitFor();
      const cards = page.locator(".cards").first().getByRole("link");
      expect(await cards.allTextContents()).toEqual(
        Array.from({ length: 9 }, (_, index) => `failing-${number(index)}`),
      );
      expect(await height(page, ".card .bad-text")).toBeLessThan(120);
      await all.click();
      await page.getByText(`${FAILING} services of`).waitFor();
      expect(await height(page, "td .bad-text")).toBeLessThan(120);
      await page.goto(`${t.url}/ui/services?q=wordy`);
      await page.getByRole("row", { name: /^wordy/ }).waitFor();
      expect(await height(page, "tbody tr")).toBeLessThan(150);
      await page.keyboard.press("Control+k");
      await page.keyboard.type("wordy");
      const name = page.getByRole("option", { name: "wordy" }).first().getByText("wordy", { exact: true });
      await name.waitFor();
      expect(await name.evaluate((text) => text.scrollWidth - text.clientWidth)).toBe(0);
      await page.keyboard.press("Escape");
      await page.goto(`${t.url}/ui/services/wordy`);
      await page.getByRole("region", { name: "Description" }).getByText("long words long words").waitFor();
      expect((await page.getByRole("heading", { name: "Actions" }).boundingBox())?.y).toBeLessThan(700);
      // The whole of it is on the service's own page, and leaves room for what can be done.
      await page.goto(`${t.url}/ui/services/failing-00`);
      await page
        .getByRole("region", { name: "Last failed change" })
        .getByText("long words long words")
        .waitFor();
      expect(await height(page, ".problem")).toBeLessThan(500);
    });
  });

  test("keeps the list of pages in sight on a long page", async () => {
    await t.visit("/ui/services", async (page) => {
      await page.getByRole("row", { name: /^wordy/ }).waitFor();
      await page.evaluate("scrollTo(0, document.body.scrollHeight)");
      expect(await page.evaluate<number>("scrollY")).toBeGreaterThan(100);
      const box = await page.getByRole("navigation").getByRole("link", { name: "Overview" }).boundingBox();
      expect(box?.y).toBeGreaterThan(0);
    });
  });

  test("does once what is asked for while it is under way", async () => {
    const { page, close } = await t.open("/ui/services");
    let calls = 0;
    const held = Promise.withResolvers<void>();
    await page.route(/\/services\/reload$/, async (route) => {
      calls++;
      await held.promise;
      await route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" });
    });
    const button = page.getByRole("button", { name: "Reload changed" });
    await button.click();
    await page.locator("button[aria-disabled]").getByText("Reload changed").waitFor();
    await button.click({ force: true });
    // The keyboard stays where it was.
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
    held.resolve();
    await page.locator(".toast").getByText("502 Bad Gateway", { exact: true }).waitFor();
    await page.locator("button:not([aria-disabled])").getByText("Reload changed").waitFor();
    expect(calls).toBe(1);
    await close();
  });

  test("shows the page that is open in the list of pages, however long that is", async () => {
    const panels = Array.from({ length: 30 }, (_, index) => `panel-${number(index)}`);
    t.dashboard.sandbox.services(
      Object.fromEntries(panels.map((name) => [`${name}/index.ts`, withPanel(name, "<p>one of many</p>")])),
    );
    await t.call("/services/reload", "POST");
    await t.visit("/ui/panels/panel-29", async (page) => {
      await page.setViewportSize({ width: 1000, height: 500 });
      await page.reload();
      const current = page.getByRole("navigation").getByRole("link", { name: "panel-29" });
      await current.waitFor();
      await eventually(
        async () => ((await current.boundingBox())?.y ?? 1000) < 480,
        "the link to be in view",
      );
      expect(await page.evaluate<number>("scrollY")).toBe(0);
    });
  });

  test("shows nothing in a panel's place but the panel", async () => {
    const { page, close } = await t.open("/ui/panels/shown");
    await isLive(page);
    const opacity = () => page.locator("iframe").evaluate((frame) => getComputedStyle(frame).opacity);
    const panel = page.frameLocator("iframe").getByText("the panel");
    const go = (name: string) =>
      page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
    await panel.waitFor();
    await go("Services");
    await t.dashboard.restart(async () => {
      await page.getByText(/Connection lost/).waitFor();
      await go("shown");
      await page.getByText("The panel loads when the server responds again.").waitFor();
      expect(await opacity()).toBe("0");
    });
    await panel.waitFor();
    await page.locator("iframe:not(.unready)").waitFor();
    expect(await opacity()).toBe("1");
    await go("Services");
    await page.context().clearCookies();
    await page.getByRole("button", { name: "Reload changed" }).click();
    await page.getByText("Your session has expired.").waitFor();
    await page.locator(".link.lost").waitFor();
    await go("shown");
    await page.locator("iframe").waitFor();
    expect(await opacity()).toBe("0");
    expect(await page.getByText(/The panel/).count()).toBe(0);
    await close();
  }, 60_000);

  test("says once that a session is over", async () => {
    const { page, close } = await t.open("/ui/services");
    await isLive(page);
    await page.context().clearCookies();
    for (const name of ["Events", "Tools"]) {
      await page.getByRole("link", { name, exact: true }).click();
      await page.getByRole("alert").getByText("Your session has expired.").waitFor();
      await page.waitForTimeout(300);
      expect(await page.getByText(/could not be loaded/).count()).toBe(0);
    }
    await close();
  });

  test("says nothing of the latest event as long as it does not know", async () => {
    await t.call("/feed/events", "POST", { type: "note", source: "test", content: "said before" });
    const { page, close } = await t.open();
    const held = Promise.withResolvers<void>();
    await page.route(/\/feed\/events\?limit=1$/, async (route) => {
      await held.promise;
      await route.continue();
    });
    await page.goto(`${t.url}/ui/services`);
    await isLive(page);
    await page.getByRole("row", { name: /^wordy/ }).waitFor();
    expect(await page.locator(".link").textContent()).toBe("Live");
    held.resolve();
    await page.getByText(/last event .* ago/).waitFor();
    await close();
  });

  test("has room on a telephone for what one looks for and for what one found", async () => {
    const { id } = (await (
      await t.call("/feed/events", "POST", {
        type: "note",
        source: "s".repeat(60),
        content: "line\n".repeat(40),
      })
    ).json()) as { id: string };
    const viewport = { width: 360, height: 740 };
    const options = { viewport, hasTouch: true };
    await t.visit(
      "/ui/services",
      async (page) => {
        expect((await page.getByRole("searchbox").boundingBox())?.width).toBeGreaterThan(200);
        expect((await page.getByRole("navigation").boundingBox())?.height).toBeLessThan(70);
        await page.goto(`${t.url}/ui/events/${id}`);
        const detail = page.getByRole("complementary", { name: "Event" });
        await detail.getByText("To reply to this event:").waitFor();
        // Not under the header.
        const header = await page.getByRole("banner").boundingBox();
        const heading = await detail.getByRole("heading", { name: "note" }).boundingBox();
        expect(heading?.y).toBeGreaterThan(header?.height ?? 0);
        expect(await detail.evaluate((box) => box.scrollHeight - box.clientHeight)).toBeLessThanOrEqual(1);
      },
      options,
    );
  });
});
