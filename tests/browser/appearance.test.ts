/** Every page of the dashboard: no barrier, dark and light; room for it on a telephone; nothing from elsewhere. */
import { beforeAll, expect, test } from "bun:test";
import type { Locator } from "playwright-core";
import { seriousFindings, watchedPage } from "../support/browser.js";
import { describeInBrowser } from "../support/in-browser.js";

const PAGES = [
  "/ui",
  "/ui/services",
  "/ui/services/board",
  "/ui/services/broken",
  "/ui/services/nobody",
  "/ui/events",
  "/ui/broker",
  "/ui/tools",
  "/ui/agents",
  "/ui/installer",
  "/ui/panels/board",
  "/ui/panels/nobody",
  "/ui/nowhere",
];

/** The dashboard has asked for something that is not there, and says so calmly. */
const EXPECTED = /status of 404/;

const files = {
  "broken/index.ts": `export default { name: "broken", init() { throw new Error("no database is configured"); } };`,
};

describeInBrowser("the dashboard's pages", { services: ["feed", "board", "broker", "docs"], files }, (t) => {
  let pages: string[];

  beforeAll(async () => {
    const publish = async (event: Record<string, unknown>) =>
      (await (await t.call("/feed/events", "POST", event)).json()) as { id: string };
    const { id } = await publish({
      type: "agent_started",
      source: "worker",
      content: "worker started",
      role: "lieutenant",
    });
    const content = `A long word: ${"x".repeat(300)}`;
    await publish({
      type: "finding",
      source: "worker",
      content,
      parentId: id,
      metadata: { deep: { list: [1, 2] } },
    });
    pages = [...PAGES, `/ui/events/${id}`];
  });

  for (const colorScheme of ["dark", "light"] as const) {
    test(`have no serious barrier, ${colorScheme}`, async () => {
      const { page, strangers, complaints, close } = await t.open("/ui", { colorScheme });
      const findings: string[] = [];
      for (const path of pages) {
        await page.goto(t.url + path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.waitForTimeout(400);
        findings.push(...(await seriousFindings(page)).map((finding) => `${path}: ${finding}`));
      }
      for (const [open, close] of [
        ["Control+k", "Escape"],
        ["?", "Escape"],
      ] as const) {
        await page.goto(`${t.url}/ui/services/board`);
        await page.getByRole("button", { name: "Deploy", exact: true }).waitFor();
        await page.keyboard.press(open);
        await page.getByRole("dialog").waitFor();
        findings.push(...(await seriousFindings(page)).map((finding) => `${open}: ${finding}`));
        await page.keyboard.press(close);
      }
      await page.getByRole("button", { name: "Disable", exact: true }).click();
      findings.push(...(await seriousFindings(page)).map((finding) => `question: ${finding}`));
      expect(findings).toEqual([]);
      expect(strangers).toEqual([]);
      expect(complaints.filter((text) => !EXPECTED.test(text))).toEqual([]);
      await close();
    }, 120_000);

    test(`let people log in without a serious barrier, ${colorScheme}`, async () => {
      const { page, complaints, close } = await watchedPage(t.browser, t.url, { colorScheme });
      await page.goto(`${t.url}/ui/login`);
      expect(await seriousFindings(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    });
  }

  test("show what is chosen where the system's colours are forced", async () => {
    const { page, close } = await t.open(pages.at(-1), { forcedColors: "active" });
    const outlined = (element: Locator) =>
      element.evaluate((chosen) => getComputedStyle(chosen).outlineStyle === "solid");
    expect(await outlined(page.getByRole("treeitem", { selected: true }))).toBe(true);
    expect(await outlined(page.getByRole("navigation").locator("[aria-current]"))).toBe(true);
    await page.keyboard.press("Control+k");
    expect(await outlined(page.getByRole("dialog").getByRole("option", { selected: true }))).toBe(true);
    await close();
  });

  test("have room on a screen of 360 pixels", async () => {
    const viewport = { width: 360, height: 740 };
    const { page, close } = await t.open("/ui", { viewport, hasTouch: true });
    const tooWide: string[] = [];
    for (const path of [...pages, "/ui/login"]) {
      await page.goto(t.url + path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForTimeout(300);
      const width = await page.evaluate<number>("document.documentElement.scrollWidth");
      if (width > viewport.width) tooWide.push(`${path}: ${width}`);
    }
    expect(tooWide).toEqual([]);
    await close();
  }, 60_000);
});
