/** Coming to the dashboard from elsewhere and coming back after the session has ended, in a real browser. */
import { beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { watchedPage } from "../support/browser.js";
import { describeInBrowser } from "../support/in-browser.js";
import { withPanel } from "../support/panel.js";
import { TOKEN } from "../support/sandbox.js";

const ELSEWHERE = "http://elsewhere.test/";

const files = { "loose/index.ts": withPanel("loose", "<p>out of its frame</p>") };

describeInBrowser("the dashboard", { services: ["feed"], files }, (t) => {
  let event: string;

  beforeAll(async () => {
    const said = { type: "note", source: "links", content: "Found by a link" };
    const reply = await t.call("/feed/events", "POST", said);
    event = `/ui/events/${((await reply.json()) as { id: string }).id}?type=note`;
  });

  /** Follows a link that stands on another site's page. */
  async function follow(page: Page, path: string): Promise<void> {
    const body = `<a href="${t.url}${path}">there</a>`;
    await page.route(ELSEWHERE, (route) => route.fulfill({ contentType: "text/html", body }));
    await page.goto(ELSEWHERE);
    await page.getByRole("link", { name: "there" }).click();
  }

  const logIn = async (page: Page) => {
    await page.getByLabel("Token").fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
  };

  test("opens what another site links to for who is logged in", async () => {
    const { page, close } = await t.open();
    await follow(page, event);
    await page.getByRole("complementary").getByText("Found by a link").waitFor();
    expect(page.url()).toBe(t.url + event);
    await close();
  });

  test("asks who is not for the token, and then shows what was linked to", async () => {
    const { page, close } = await watchedPage(t.browser, t.url);
    await follow(page, event);
    await logIn(page);
    await page.getByRole("complementary").getByText("Found by a link").waitFor();
    expect(page.url()).toBe(t.url + event);
    await close();
  });

  test.each(["/ui/panel/loose", "/ui/panels/%2e%2e/panel/loose", "/ui/../loose/_panel"])(
    "shows itself after logging in where %s was asked for",
    async (path) => {
      const { page, close } = await watchedPage(t.browser, t.url);
      await page.goto(`${t.url}/ui/login?next=${encodeURIComponent(path)}`);
      await logIn(page);
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      expect(page.url()).toBe(`${t.url}/ui`);
      await close();
    },
  );

  test("opens no panel without a frame around it", async () => {
    const { page, close } = await t.open("/ui/panels/loose");
    await page.frameLocator("iframe").getByText("out of its frame").waitFor();
    expect((await page.goto(`${t.url}/ui/panel/loose`))?.status()).toBe(403);
    await close();
  });

  test("says that a session is over and nothing of trying again, and logging in leads back", async () => {
    const { page, close } = await t.open(event);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.context().clearCookies();
    await t.call("/services/reload/ui", "POST");
    await page.getByText("Your session has expired.").waitFor();
    await page.locator(".link.lost").waitFor();
    expect(await page.getByText("retrying").count()).toBe(0);
    await page.getByRole("link", { name: "Log in again" }).click();
    await logIn(page);
    await page.getByRole("complementary").getByText("Found by a link").waitFor();
    expect(page.url()).toBe(t.url + event);
    await close();
  });
});
