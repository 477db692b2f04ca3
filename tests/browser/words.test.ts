/** Words from outside that are long, or turn the direction of writing, in a real browser. */
import { beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { seriousFindings } from "../support/browser.js";
import { describeInBrowser } from "../support/in-browser.js";
import { answering } from "../support/sandbox.js";

const NAME = "s".repeat(61);
const TYPE = "t".repeat(60);
const ADDRESS = `https://example.com/${"a".repeat(75)}`;
const WORD = "w".repeat(420);
/** Everything after it is written from right to left, until its line or its element ends. */
const TURN = "\u202e";

const LONG = `import { Hono } from "hono";
const routes = new Hono();
routes.get("/", (c) => c.text("hello"));
routes.get("/${"r".repeat(80)}", (c) => c.text("hello"));
routes.get("/_panel", (c) => c.html("<p>long</p><script>Reef.toast('${WORD}')</script>"));
export default { name: "${NAME}", description: "${ADDRESS}", routes };
`;

const files = {
  [`${NAME}/index.ts`]: LONG,
  "broken/index.ts": `export default { name: "broken", init() { throw new Error("${WORD}"); } };`,
  "turned/index.ts": answering("turned", "hello", `description: "${TURN}turned",`),
};

describeInBrowser("words from outside", { services: ["feed", "installer"], files }, (t) => {
  let pages: string[];
  const viewport = { width: 360, height: 740 };

  beforeAll(async () => {
    const publish = async (event: Record<string, unknown>) =>
      (await (await t.call("/feed/events", "POST", event)).json()) as { id: string };
    const { id } = await publish({ type: TYPE, source: TYPE, content: WORD });
    const child = await publish({ type: TYPE, source: TYPE, content: WORD, parentId: id });
    await publish({ type: "agent_started", source: TYPE, content: WORD, role: TYPE });
    await publish({ type: `${TURN}epyt`, source: `${TURN}ecruos`, content: `${TURN}tnetnoc` });
    pages = ["/ui", "/ui/services", `/ui/services/${NAME}`, "/ui/services/broken", `/ui/panels/${NAME}`];
    pages.push("/ui/events", `/ui/events/${child.id}`, `/ui/events?type=${TYPE}`, "/ui/agents");
  });

  const visit = (path: string, use: (page: Page) => Promise<void>) => t.visit(path, use, { viewport });

  const widthOf = (page: Page, element: string) => page.evaluate<number>(`${element}.scrollWidth`);

  test("make no page wider than a small screen", async () => {
    await visit("/ui", async (page) => {
      const tooWide: string[] = [];
      for (const path of pages) {
        await page.goto(t.url + path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.getByText("Live", { exact: true }).waitFor();
        await page.waitForTimeout(300);
        const width = await widthOf(page, "document.documentElement");
        if (width > viewport.width) tooWide.push(`${path}: ${width}`);
      }
      expect(tooWide).toEqual([]);
    });
  });

  test("leave room for the rest of a table", async () => {
    await t.visit(
      "/ui/services",
      async (page) => {
        await page.getByRole("row", { name: /^s{61}/ }).waitFor();
        const table = await page.getByRole("region", { name: "Services" }).elementHandle();
        const cut = await table?.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
        expect(cut).toBe(0);
      },
      { viewport: { width: 1200, height: 700 } },
    );
  });

  test("end with dots where the search for what to do has no room for them", async () => {
    await visit("/ui", async (page) => {
      await page.getByText("Live", { exact: true }).waitFor();
      await page.keyboard.press("Control+k");
      await page.keyboard.type(`Reload ${NAME}`);
      const found = page.getByRole("option", { name: `Reload ${NAME}` }).getByText(NAME);
      await found.waitFor();
      const [width, room] = await found.evaluate((text) => [
        text.getBoundingClientRect().right,
        (text.parentElement as HTMLElement).getBoundingClientRect().right,
      ]);
      expect(width).toBeLessThanOrEqual(room ?? 0);
    });
  });

  test("can be read to their end with the keyboard where a message has no room for them", async () => {
    await visit(`/ui/panels/${NAME}`, async (page) => {
      await page.locator(".toast").waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      await page.locator(".toast .text").focus();
      await page.keyboard.press("End");
      await page.locator(".toast .text").evaluate(
        (text) =>
          new Promise<void>((resolve) => {
            const look = () => (text.scrollTop > 0 ? resolve() : requestAnimationFrame(look));
            look();
          }),
      );
    });
  });

  test("fit into a question", async () => {
    await visit(`/ui/services/${NAME}`, async (page) => {
      await page.getByRole("button", { name: "Disable", exact: true }).click();
      await page.getByRole("dialog").waitFor();
      const dialog = "document.querySelector('dialog')";
      expect(await widthOf(page, dialog)).toBe(await page.evaluate<number>(`${dialog}.clientWidth`));
    });
  });

  test("do not turn the warning of a question", async () => {
    await visit("/ui/installer", async (page) => {
      await page.getByLabel("Source").fill(`${TURN}user/repo`);
      await page.getByRole("button", { name: "Install", exact: true }).click();
      const dialog = page.getByRole("dialog");
      expect(await dialog.getByRole("code").textContent()).toBe(`${TURN}user/repo`);
      await dialog.getByText("Install only what you trust.").waitFor();
      expect(await dialog.getByText("Install only what you trust.").textContent()).not.toContain(TURN);
    });
  });

  test("do not turn what stands beside them on the line", async () => {
    await visit("/ui", async (page) => {
      const row = page.getByRole("listitem").filter({ hasText: "epyt" });
      const places = await row.locator("a > *").evaluateAll((parts) =>
        parts.map((part) => {
          const { top, left } = part.getBoundingClientRect();
          return { top, left };
        }),
      );
      expect(places).toEqual(places.toSorted((a, b) => a.top - b.top || a.left - b.left));
      expect(await row.locator(".text").evaluate((text) => getComputedStyle(text).unicodeBidi)).toBe(
        "isolate",
      );
    });
  });
});
