/** The dashboard as an operator uses it, in a real browser over the real server. */
import { describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { watchedPage } from "../support/browser.js";
import { describeInBrowser } from "../support/in-browser.js";
import { answering, TOKEN } from "../support/sandbox.js";

const files = { "greeter/index.ts": answering("greeter", "hello") };

const FAILING_TEST = `import { test, expect } from "bun:test";
test("adds", () => expect(1 + 1).toBe(3));
`;

describeInBrowser("the dashboard", { services: ["feed", "board", "docs"], files }, (t) => {
  /** A page that is logged in. What it complains about fails the test. */
  const visit = (path: string, use: (page: Page) => Promise<void>) => t.visit(path, use, { calm: true });

  describe("logging in", () => {
    test("works once with a link", async () => {
      const { page, close } = await watchedPage(t.browser, t.url);
      const link = await t.dashboard.link();
      await page.goto(link);
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      await close();
      const second = await watchedPage(t.browser, t.url);
      await second.page.goto(link);
      expect(await second.page.getByRole("alert").textContent()).toContain("used or has expired");
      await second.close();
    });

    test("works with the token, says so when it is wrong, and goes on to where one wanted to be", async () => {
      const { page, close } = await watchedPage(t.browser, t.url);
      await page.goto(`${t.url}/ui/services/greeter`);
      await page.getByLabel("Token").fill("wrong");
      await page.getByRole("button", { name: "Log in" }).click();
      expect(await page.getByRole("alert").textContent()).toContain("Wrong token");
      await page.getByLabel("Token").fill(TOKEN);
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByRole("heading", { name: "greeter" }).waitFor();
      expect(page.url()).toBe(`${t.url}/ui/services/greeter`);
      // Nothing of the token is within reach of a script.
      const reachable = await page.evaluate<string>(
        "JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, document.documentElement.outerHTML])",
      );
      expect(reachable).not.toContain(TOKEN);
      await page.getByRole("button", { name: "Log out" }).click();
      await page.getByLabel("Token").waitFor();
      await page.goto(`${t.url}/ui`);
      await page.getByLabel("Token").waitFor();
      await close();
    });
  });

  test("shows a task on the board's panel that was made on the command line, without a reload", async () => {
    await visit("/ui/panels/board", async (page) => {
      const panel = page.frameLocator("iframe");
      await panel.getByText("Open (0)").waitFor();
      await t.call("/board/tasks", "POST", { title: "Made with curl", createdBy: "me" });
      await panel.getByText("Made with curl").waitFor();
      // The panel's own buttons work through its address.
      await panel.getByRole("button", { name: "Start: Made with curl" }).click();
      await panel.getByText("In progress (1)").waitFor();
    });
  });

  test("shows the step at which a deploy failed, and that the old version serves", async () => {
    const { page, close } = await t.open("/ui/services/greeter");
    t.dashboard.sandbox.services({
      "greeter/index.ts": answering("greeter", "changed"),
      "greeter/greeter.test.ts": FAILING_TEST,
    });
    await page.getByRole("button", { name: "Deploy", exact: true }).click();
    const step = (name: string) => page.getByRole("listitem").filter({ hasText: new RegExp(`^${name}`) });
    await step("test").filter({ hasText: "failed" }).waitFor();
    await page.getByText("The previous version keeps serving.").waitFor();
    expect(await step("validate").textContent()).toContain("passed");
    expect(await step("test").textContent()).toContain("adds");
    expect(await step("load").textContent()).toContain("skipped");
    expect(await (await t.call("/greeter")).text()).toBe("hello");
    await close();
  });

  test("lets tabs appear and disappear with their services", async () => {
    await visit("/ui", async (page) => {
      const tab = page.getByRole("navigation").getByRole("link", { name: "newcomer" });
      expect(await tab.count()).toBe(0);
      t.dashboard.sandbox.services({
        "newcomer/index.ts": `import { Hono } from "hono";
const routes = new Hono();
routes.get("/_panel", (c) => c.html("<p>I am new</p>"));
export default { name: "newcomer", routes };`,
      });
      await t.call("/services/reload", "POST");
      await tab.click();
      await page.frameLocator("iframe").getByText("I am new").waitFor();
      await t.call("/services/newcomer", "DELETE");
      await tab.waitFor({ state: "detached" });
      await page.getByText("has no panel").waitFor();
    });
  });

  test("asks before something is switched off, and does nothing when the answer is no", async () => {
    await visit("/ui/services/board", async (page) => {
      const isLoaded = async () => (await t.call("/board/tasks")).status === 200;
      await page.getByRole("button", { name: "Disable", exact: true }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("heading", { name: "Disable board?" }).waitFor();
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      expect(await isLoaded()).toBe(true);
      await page.getByRole("button", { name: "Disable", exact: true }).click();
      await dialog.getByRole("button", { name: "Disable", exact: true }).click();
      await page.getByRole("button", { name: "Enable", exact: true }).click();
      await page.getByRole("button", { name: "Disable", exact: true }).waitFor();
      expect(await isLoaded()).toBe(true);
    });
  });

  test("says before it is switched off itself which call brings it back", async () => {
    await visit("/ui/services/ui", async (page) => {
      for (const [verb, call] of [
        ["Disable", "POST /services/enable/ui"],
        ["Unload", "POST /services/reload/ui"],
      ] as const) {
        await page.getByRole("button", { name: verb, exact: true }).click();
        const dialog = page.getByRole("dialog", { name: `${verb} ui?` });
        await dialog.getByText(`This dashboard stops too. To bring it back: ${call}.`).waitFor();
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
      }
    });
  });

  test("can be used with the keyboard alone", async () => {
    for (const content of ["first", "second"])
      await t.call("/feed/events", "POST", { type: "note", source: "keys", content });
    await visit("/ui", async (page) => {
      const { keyboard } = page;
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      // The palette finds a service and opens it.
      await keyboard.press("Control+k");
      await keyboard.type("greet");
      await page.getByRole("option", { name: "greeter" }).first().waitFor();
      await keyboard.press("Enter");
      await page.getByRole("heading", { name: "greeter", exact: true }).waitFor();
      // Two keys lead to a page, one to its search field.
      await keyboard.press("g");
      await keyboard.press("e");
      await page.getByRole("tree").waitFor();
      await keyboard.press("/");
      await keyboard.type("second");
      await page.getByRole("treeitem").filter({ hasText: "first" }).waitFor({ state: "detached" });
      await keyboard.press("Control+a");
      await keyboard.press("Delete");
      await page.getByRole("treeitem").filter({ hasText: "first" }).waitFor();
      // Tab leads into the list; arrows choose; Enter shows.
      for (let tabs = 0; tabs < 10; tabs++) {
        await keyboard.press("Tab");
        if (await page.getByRole("tree").evaluate((tree) => tree === document.activeElement)) break;
      }
      await keyboard.press("ArrowDown");
      await keyboard.press("ArrowDown");
      const chosen = page.getByRole("treeitem", { selected: true });
      expect(await chosen.count()).toBe(1);
      expect(await chosen.textContent()).toContain("first");
      await keyboard.press("Enter");
      await page.locator("#event-detail:focus").waitFor();
      await keyboard.press("?");
      await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
      await keyboard.press("Escape");
      expect(await page.evaluate<string>("document.activeElement.id")).toBe("event-detail");
    });
  });

  test("gives every event an address that can be passed on", async () => {
    const publish = async (content: string, parentId?: string) => {
      const reply = await t.call("/feed/events", "POST", {
        type: "note",
        source: "links",
        content,
        parentId,
      });
      return ((await reply.json()) as { id: string }).id;
    };
    const root = await publish("The beginning");
    const answer = await publish("The answer", root);
    await visit(`/ui/events/${answer}`, async (page) => {
      const detail = page.getByRole("complementary", { name: "Event" });
      await detail.getByText("The answer", { exact: true }).waitFor();
      await detail.getByText("The beginning").waitFor();
      const row = page.getByRole("treeitem", { selected: true });
      expect(await row.getAttribute("aria-level")).toBe("2");
      // An answer that comes now appears below without being asked for.
      await publish("Said just now", answer);
      await page.getByRole("treeitem").filter({ hasText: "Said just now" }).waitFor();
    });
  });

  test("follows a reload of its own service at once", async () => {
    await visit("/ui/services", async (page) => {
      const version = () => page.getByRole("row", { name: /^ui / }).getByRole("cell").nth(1).textContent();
      await page.getByText("Live", { exact: true }).waitFor();
      const before = Number.parseInt((await version()) ?? "", 10);
      await t.call("/services/reload/ui", "POST");
      await page.getByText(/^Reconnected after/).waitFor();
      expect(Number.parseInt((await version()) ?? "", 10)).toBe(before + 1);
    });
  });

  test("catches up by itself after the server was killed and started again, and says so", async () => {
    const { page, close } = await t.open("/ui/events");
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("tree").waitFor();
    await t.dashboard.restart(async () => {
      await page.getByText(/Connection lost/).waitFor();
    });
    await t.call("/feed/events", "POST", {
      type: "note",
      source: "later",
      content: "While it was away",
    });
    await page.getByRole("treeitem").filter({ hasText: "While it was away" }).waitFor();
    await page.getByText(/The server restarted; reconnected after .*: caught up on 1 event\./).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    // The session has survived, so what is asked for now works as well.
    await page.getByRole("link", { name: "Services", exact: true }).click();
    await page.getByRole("link", { name: "greeter" }).first().waitFor();
    await close();
  });
});
