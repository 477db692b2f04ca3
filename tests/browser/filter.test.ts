/** Finding something in the dashboard's long lists, in a real browser. */
import { beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";
import { answering, eventually } from "../support/sandbox.js";

const MANY = 30;
const failing = (name: string) =>
  `export default { name: "${name}", init() { throw new Error("no database"); } };`;

const files = {
  ...Object.fromEntries(
    Array.from({ length: MANY }, (_, index) => [
      `worker-${index}/index.ts`,
      answering(`worker-${index}`, "hello", `description: "Number ${index} of many",`),
    ]),
  ),
  "broken-one/index.ts": failing("broken-one"),
  "broken-two/index.ts": failing("broken-two"),
  "retired/index.ts": answering("retired", "hello"),
};
/** With the dashboard, the services manager and the feed. */
const ALL = MANY + 3 + 3;

describeInBrowser("the list of services", { services: ["feed"], files }, (t) => {
  beforeAll(async () => {
    expect((await t.call("/services/disable/retired", "POST", { reason: "nobody uses it" })).status).toBe(
      200,
    );
  });

  const rows = (page: Page) => page.getByRole("table").locator("tbody").getByRole("row");
  const names = async (page: Page) => (await rows(page).getByRole("rowheader").allTextContents()).sort();
  const said = (page: Page, text: string) =>
    page.getByRole("status").getByText(text, { exact: true }).waitFor();
  const query = (page: Page) => new URL(page.url()).search;

  test("is narrowed down with the keyboard, which the address keeps and Escape undoes", async () => {
    await t.visit("/ui/services", async (page) => {
      const { keyboard } = page;
      const field = page.getByRole("searchbox");
      const isFocused = () => field.evaluate((element) => element === document.activeElement);
      await said(page, `${ALL} services`);
      await keyboard.press("/");
      await keyboard.type("Many worker-7");
      await said(page, `1 service of ${ALL}`);
      expect(await names(page)).toEqual(["worker-7"]);
      expect(query(page)).toBe("?q=Many%20worker-7");
      await page.reload();
      await said(page, `1 service of ${ALL}`);
      expect(await field.inputValue()).toBe("Many worker-7");
      await keyboard.press("/");
      await keyboard.press("Escape");
      await said(page, `${ALL} services`);
      expect([await field.inputValue(), query(page), await isFocused()]).toEqual(["", "", true]);
      // Where nothing is to be cleared, Escape leaves the field, and keys are shortcuts again.
      await keyboard.press("Escape");
      expect(await isFocused()).toBe(false);
      await keyboard.press("g");
      await keyboard.press("t");
      await page.getByRole("heading", { name: "Tools" }).waitFor();
    });
  });

  test("is narrowed down to those in a state, with how many there are of each", async () => {
    await t.visit("/ui/services", async (page) => {
      const state = page.getByLabel("State");
      await said(page, `${ALL} services`);
      expect(await state.getByRole("option").allTextContents()).toEqual([
        "any",
        "needs attention (2)",
        "disabled (1)",
        "failed (2)",
        `loaded (${MANY + 3})`,
      ]);
      await state.selectOption({ label: "needs attention (2)" });
      await said(page, `2 services of ${ALL}`);
      expect(await names(page)).toEqual(["broken-one", "broken-two"]);
      expect(query(page)).toBe("?state=attention");
      await page.getByRole("searchbox").fill("one");
      await said(page, `1 service of ${ALL}`);
      expect(query(page)).toBe("?state=attention&q=one");
      await page.goBack();
      await page.goto(`${t.url}/ui/services?state=disabled`);
      await said(page, `1 service of ${ALL}`);
      expect(await names(page)).toEqual(["retired"]);
      // What is looked for may stand in the reason.
      await page.goto(`${t.url}/ui/services?q=nobody%20uses`);
      await said(page, `1 service of ${ALL}`);
    });
  });

  test("says that nothing matches, and the button that clears gives the keyboard to the field", async () => {
    await t.visit("/ui/services?q=zzz&state=loaded", async (page) => {
      await page.getByText("No matches.").waitFor();
      await said(page, `0 services of ${ALL}`);
      await page.getByRole("button", { name: "Clear" }).click();
      await said(page, `${ALL} services`);
      expect(await page.getByRole("searchbox").evaluate((field) => field === document.activeElement)).toBe(
        true,
      );
    });
  });

  test("follows changes while it is narrowed down", async () => {
    await t.visit("/ui/services?state=attention", async (page) => {
      await said(page, `2 services of ${ALL}`);
      await page.getByText("Live", { exact: true }).waitFor();
      t.dashboard.sandbox.services({ "worker-3/index.ts": failing("worker-3") });
      await t.call("/services/reload/worker-3", "POST");
      await rows(page).filter({ hasText: "worker-3" }).getByText("Last failed change").waitFor();
      t.dashboard.sandbox.services({ "worker-3/index.ts": answering("worker-3", "again") });
      await t.call("/services/reload/worker-3", "POST");
      await eventually(async () => (await rows(page).count()) === 2, "the service to be well");
    });
  });

  test("has a like in the lists of agents", async () => {
    for (const source of ["ada", "bob"])
      await t.call("/feed/events", "POST", {
        type: "agent_started",
        source,
        content: `${source} began`,
        role: "worker",
      });
    await t.visit("/ui/agents?q=bob%20working", async (page) => {
      await said(page, "1 agent of 2");
      expect(await names(page)).toEqual(["bob"]);
    });
  });
});
