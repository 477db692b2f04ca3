/** The page of events in a real browser while the connection to the server comes and goes. */
import { beforeAll, test } from "bun:test";
import type { Page } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";

describeInBrowser("the page of events", { services: ["feed"] }, (t) => {
  beforeAll(async () => {
    for (let index = 0; index < 4; index++) await publish(`number ${index}`);
  });

  const publish = (content: string) =>
    t.call("/feed/events", "POST", { type: "note", source: "test", content });

  const row = (page: Page, text: string) => page.getByRole("treeitem").filter({ hasText: text });
  const link = (page: Page, name: string) => page.getByRole("link", { name, exact: true });

  async function reconnect(page: Page): Promise<void> {
    await page.getByText("Live", { exact: true }).waitFor();
    await t.call("/services/reload/ui", "POST");
    await page.getByText(/Reconnected after/).waitFor();
  }

  test("has what is there also when it is opened after another connection", async () => {
    const { page, close } = await t.open("/ui/services");
    await reconnect(page);
    await link(page, "Events").click();
    await row(page, "number 0").waitFor();
    await close();
  });

  test("has what came while another page was shown", async () => {
    const { page, close } = await t.open("/ui/events");
    await row(page, "number 0").waitFor();
    await link(page, "Agents").click();
    await reconnect(page);
    await publish("came meanwhile");
    await link(page, "Events").click();
    await row(page, "came meanwhile").waitFor();
    await close();
  });

  test("shows nothing that the filter keeps out while the server cannot be asked, nor when it is back", async () => {
    const { page, close } = await t.open("/ui/events");
    await row(page, "number 0").waitFor();
    await t.dashboard.restart(async () => {
      await page.getByText(/Connection lost/).waitFor();
      await page.getByRole("searchbox").fill("zzznothing");
      await page.getByRole("alert").waitFor();
      await row(page, "number").first().waitFor({ state: "detached" });
    });
    await page.getByText("No matches").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    await row(page, "number 0").waitFor();
    await close();
  });

  test("says in words of its own that the server does not answer, and so does what is done meanwhile", async () => {
    const { page, close } = await t.open("/ui/events");
    await row(page, "number 0").waitFor();
    await link(page, "Services").click();
    await page.getByText("Live", { exact: true }).waitFor();
    await t.dashboard.restart(async () => {
      await page.getByText(/Connection lost/).waitFor();
      await page.getByRole("button", { name: "Reload changed" }).click();
      await page.locator(".toast").getByText("The server is not responding.", { exact: true }).waitFor();
      await link(page, "Events").click();
      await page.getByRole("alert").getByText("Could not load this: The server is not responding.").waitFor();
    });
    await row(page, "number 0").waitFor();
    await close();
  });

  test("says how old the latest event is, not how long ago it was brought", async () => {
    const { page, close } = await t.open();
    // Where it is three hours later, everything that comes is old.
    await page.addInitScript(`const { now } = Date; Date.now = () => now() + ${3 * 3_600_000}`);
    await page.goto(`${t.url}/ui/events`);
    await page.getByText("Live", { exact: true }).waitFor();
    await publish("brought just now");
    await row(page, "brought just now").waitFor();
    await page.getByText(/last event 3 h ago/).waitFor();
    await close();
  });
});
