/** The code of the dashboard's pages, which comes with each page, in a real browser. */
import { expect, test } from "bun:test";
import type { Page, Route } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";
import { answering, eventually as patiently } from "../support/sandbox.js";

/** Below the patience of a test, so that the browser is closed in order. */
const eventually = (check: () => Promise<boolean>, what: string) => patiently(check, what, 10_000);

const files = { "greeter/index.ts": answering("greeter", "hello") };

describeInBrowser("a page's code", { services: ["feed", "broker"], files }, (t) => {
  const focused = (page: Page) => page.evaluate<string>("document.activeElement.id");
  const live = (page: Page) => page.getByText("Live", { exact: true }).waitFor();
  const heading = (page: Page, name: string) => page.getByRole("heading", { name, level: 1, exact: true });
  const nav = (page: Page, name: string) =>
    page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name, exact: true });

  /** Opens a page, logged in, in a browser that gets the broker's page from `answer`; types something into it. */
  async function typing(answer: (route: Route) => unknown, use: (page: Page) => Promise<void>) {
    const { page, close } = await t.open("/ui");
    await page.context().route(/\/ui\/assets\/broker-/, (route) => answer(route));
    await page.goto(`${t.url}/ui/services`);
    await live(page);
    const field = page.getByLabel("Folder to deploy");
    await field.fill("half typed");
    await use(page);
    await close();
  }

  /** Nothing of where one was is lost. */
  async function isAsBefore(page: Page) {
    expect(page.url()).toBe(`${t.url}/ui/services`);
    expect(await page.title()).toBe("Services · Reef");
    expect(await page.getByLabel("Folder to deploy").inputValue()).toBe("half typed");
    expect(await nav(page, "Services").getAttribute("aria-current")).toBe("page");
  }

  test("comes with the page, and that of the others when the browser has nothing else to do", async () => {
    await t.visit("/ui/services/greeter", async (page) => {
      await heading(page, "greeter").waitFor();
      const ahead = await page.evaluate<string[]>(
        "[...document.querySelectorAll('link[rel=modulepreload]')].map(({ href }) => href.match(/(\\w+)-\\w+\\.js$/)[1])",
      );
      expect(ahead).toEqual(["chunk", "services"]);
      const asked = () =>
        page.evaluate<string>("performance.getEntriesByType('resource').map(({ name }) => name).join()");
      await eventually(async () => (await asked()).includes("/panels-"), "the last page's code");
      // From here on pages open without the network.
      await page.route("**/ui/assets/**", (route) => route.abort());
      for (const name of ["Events", "Broker", "Tools", "Agents", "Installer", "Overview", "Services"]) {
        await nav(page, name).click();
        await heading(page, name).waitFor();
      }
    });
  });

  test("that does not come is asked for again when one wants it, and nothing is lost until then", async () => {
    let up = false;
    const answer = (route: Route) => (up ? route.continue() : route.abort());
    await typing(answer, async (page) => {
      await nav(page, "Broker").click();
      const alert = page.getByRole("alert");
      await alert.getByText("“Broker” could not be loaded: the server is not responding").waitFor();
      await isAsBefore(page);
      await page.getByRole("button", { name: "Try again" }).click();
      await alert.waitFor();
      await isAsBefore(page);
      up = true;
      await page.getByRole("button", { name: "Try again" }).click();
      await heading(page, "Broker").waitFor();
      await alert.waitFor({ state: "detached" });
      expect(await focused(page)).toBe("content");
      expect(page.url()).toBe(`${t.url}/ui/broker`);
      await eventually(async () => (await page.title()) === "Broker · Reef", "the page's title");
      await page.goBack();
      await heading(page, "Services").waitFor();
    });
  });

  test("of another version by now is said to be, and the dashboard loads anew when one wants it", async () => {
    let changed = true;
    const answer = (route: Route) =>
      changed ? route.fulfill({ status: 404, json: { error: "not found" } }) : route.continue();
    await typing(answer, async (page) => {
      await page.keyboard.press("Tab");
      await page.keyboard.press("g");
      await page.keyboard.press("b");
      const alert = page.getByRole("alert");
      await alert.getByText("the dashboard has been updated").waitFor();
      expect(await alert.textContent()).toContain("copy it first");
      expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
      await isAsBefore(page);
      changed = false;
      await page.getByRole("link", { name: "Reload the dashboard" }).click();
      await heading(page, "Broker").waitFor();
      expect(await page.getByRole("alert").count()).toBe(0);
    });
  });

  test("that a server refuses which is only starting is to be asked for again", async () => {
    const answer = (route: Route) => route.fulfill({ status: 503, json: { error: "starting" } });
    await typing(answer, async (page) => {
      await nav(page, "Broker").click();
      await page.getByRole("alert").getByText("the server returned 503").waitFor();
      await page.getByRole("button", { name: "Try again" }).waitFor();
      await page.getByRole("button", { name: "Dismiss" }).click();
      await page.getByRole("alert").waitFor({ state: "detached" });
      await isAsBefore(page);
    });
  });

  test("that is slow is waited for where one is, and who goes elsewhere meanwhile is there", async () => {
    const held = Promise.withResolvers<void>();
    const answer = async (route: Route) => {
      await held.promise;
      await route.continue().catch(() => undefined);
    };
    await typing(answer, async (page) => {
      await nav(page, "Broker").click();
      await page.getByRole("status").getByText("Loading Broker…").waitFor();
      await isAsBefore(page);
      await nav(page, "Overview").click();
      await heading(page, "Overview").waitFor();
      held.resolve();
      await page.waitForResponse(/\/ui\/assets\/broker-/);
      await page.waitForTimeout(300);
      expect(page.url()).toBe(`${t.url}/ui`);
      await nav(page, "Broker").click();
      await heading(page, "Broker").waitFor();
    });
  });

  test("that is slow is waited for though one goes on searching, and what is said of it stays", async () => {
    const held = Promise.withResolvers<void>();
    const { page, close } = await t.open("/ui");
    await page.context().route(/\/ui\/assets\/broker-/, async (route) => {
      await held.promise;
      await route.abort();
    });
    await page.goto(`${t.url}/ui/tools`);
    await live(page);
    await nav(page, "Broker").click();
    await page.getByRole("searchbox").fill("no such tool");
    held.resolve();
    const alert = page.getByRole("alert");
    await alert.getByText("“Broker” could not be loaded").waitFor();
    await page.getByRole("searchbox").fill("no such tool either");
    await page.getByText("0 tools").waitFor();
    expect(page.url()).toBe(`${t.url}/ui/tools?q=no%20such%20tool%20either`);
    expect(await alert.count()).toBe(1);
    await close();
  });

  test("that cannot be had when one goes back leaves one where one is", async () => {
    const { page, close } = await t.open("/ui");
    await page.context().route(/\/ui\/assets\/broker-/, (route) => route.abort());
    await page.goto(`${t.url}/ui/services`);
    await live(page);
    await page.evaluate("history.replaceState({ entry: 0 }, '', '/ui/broker')");
    await page.evaluate("history.pushState({ entry: 1 }, '', '/ui/services')");
    await page.reload();
    await live(page);
    await page.getByLabel("Folder to deploy").fill("half typed");
    await page.goBack();
    await page.getByRole("alert").getByText("“Broker” could not be loaded").waitFor();
    await eventually(async () => page.url() === `${t.url}/ui/services`, "the address of what is shown");
    await isAsBefore(page);
    await page.context().unroute(/\/ui\/assets\/broker-/);
    await page.getByRole("button", { name: "Try again" }).click();
    await heading(page, "Broker").waitFor();
    await close();
  });

  test("of the first page is asked for again where one is", async () => {
    const { page, close } = await t.open("/ui");
    await page.context().route(/\/ui\/assets\/broker-/, (route) => route.abort());
    await page.goto(`${t.url}/ui/broker`);
    const alert = page.getByRole("alert");
    await alert.getByText("“Broker” could not be loaded").waitFor();
    expect(await alert.textContent()).not.toContain("typed");
    await eventually(async () => (await page.title()) === "Broker · Reef", "the page's title");
    await page.context().unroute(/\/ui\/assets\/broker-/);
    await page.getByRole("button", { name: "Try again" }).click();
    await heading(page, "Broker").waitFor();
    await alert.waitFor({ state: "detached" });
    await close();
  });

  test("without which there is no dashboard at all is missed with a word", async () => {
    const { page, close } = await t.open("/ui");
    await page.context().route(/\/ui\/assets\/chunk-/, (route) => route.fulfill({ status: 404 }));
    await page.goto(`${t.url}/ui/services`);
    await page.getByRole("alert").getByText("Reload this page").waitFor();
    await close();
  });
});
