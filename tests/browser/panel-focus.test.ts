/** Who has the keyboard while a panel is open, in a real browser. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { describeInBrowser } from "../support/in-browser.js";
import { withPanel } from "../support/panel.js";
import { eventually as patiently } from "../support/sandbox.js";

/** Below the patience of a test, so that the browser is closed in order. */
const eventually = (check: () => Promise<boolean>, what: string) => patiently(check, what, 8000);

const FIELDS = `<label>Field <input id="field"></label> <label>Next <input id="next"></label> <p id="said"></p>`;

const GREEDY = `${FIELDS}<script>
  const field = document.getElementById("field");
  setInterval(() => field.focus(), 50);
</script>`;

/** Takes the focus once, when its service is told to. */
const PATIENT = `${FIELDS}<script>
  const field = document.getElementById("field");
  field.addEventListener("focus", () => { document.getElementById("said").textContent = "had it"; });
  const timer = setInterval(async () => {
    if ((await Reef.api("GET", "/patient/told")).told !== true) return;
    clearInterval(timer);
    field.focus();
  }, 50);
</script>`;

const PATIENT_ROUTES = `
let told = false;
routes.get("/told", (c) => c.json({ told }));
routes.post("/told", (c) => c.json({ told: (told = true) }));`;

const files = {
  "greedy/index.ts": withPanel("greedy", GREEDY),
  "patient/index.ts": withPanel("patient", PATIENT, PATIENT_ROUTES),
  "plain/index.ts": withPanel("plain", FIELDS),
};

describeInBrowser("the keyboard", { files }, (t) => {
  const visit = (name: string, use: (page: Page) => Promise<void>) => t.visit(`/ui/panels/${name}`, use);

  const search = (page: Page) => page.getByRole("combobox");

  test("goes back into an open dialog when a panel takes it", async () => {
    await visit("patient", async (page) => {
      const panel = page.frameLocator("iframe");
      await panel.getByLabel("Field").waitFor();
      await page.keyboard.press("Control+k");
      await search(page).waitFor();
      await page.keyboard.type("ab");
      await page.evaluate("addEventListener('blur', () => { window.taken = true; })");
      await t.call("/patient/told", "POST");
      await panel.getByText("had it").waitFor();
      await eventually(() => page.evaluate<boolean>("window.taken"), "the focus taken");
      await page.locator("dialog input:focus").waitFor();
      await page.keyboard.type("cd");
      expect(await search(page).inputValue()).toBe("abcd");
      expect(await panel.getByLabel("Field").inputValue()).toBe("");
      await page.keyboard.press("Escape");
      await search(page).waitFor({ state: "detached" });
      expect(await page.locator("iframe").count()).toBe(1);
    });
  });

  test("stays with the dashboard when a panel takes it again and again, which is taken out", async () => {
    await visit("greedy", async (page) => {
      // Whoever drives the browser counts as a user who acts; this one sits still.
      await page.addInitScript(
        "Object.defineProperty(Navigator.prototype, 'userActivation', { value: { isActive: false } })",
      );
      await page.reload();
      await page.getByText("taking the keyboard focus").waitFor();
      expect(await page.locator("iframe").count()).toBe(0);
      await page.keyboard.press("Control+k");
      await search(page).waitFor();
      await page.keyboard.type("calm");
      expect(await search(page).inputValue()).toBe("calm");
    });
  });

  test("goes to a panel with a click and with Tab", async () => {
    await visit("plain", async (page) => {
      const panel = page.frameLocator("iframe");
      const field = (label: string) => panel.getByLabel(label);
      await field("Next").click();
      await page.keyboard.type("clicked");
      expect(await field("Next").inputValue()).toBe("clicked");
      await page.getByRole("navigation").getByRole("link", { name: "plain" }).focus();
      await eventually(async () => {
        await page.evaluate("window.before = document.activeElement");
        await page.keyboard.press("Tab");
        await page.waitForFunction("document.activeElement !== window.before");
        return page.evaluate<boolean>("document.activeElement?.tagName === 'IFRAME'");
      }, "Tab into the panel");
      await panel.locator("#field:focus").waitFor();
      await page.keyboard.type("tabbed");
      expect(await field("Field").inputValue()).toBe("tabbed");
    });
  });

  /** The panel's field with the pointer over it, when nothing moves any more. */
  async function hovered(page: Page) {
    const panel = page.frameLocator("iframe");
    await page.getByText("Loading the panel").waitFor({ state: "detached" });
    await panel.getByLabel("Field").hover();
    await panel.locator("#field:hover").waitFor();
    return panel.getByLabel("Field");
  }

  test("goes to a panel with a click right after a key, while the pointer stays in the panel", async () => {
    await visit("plain", async (page) => {
      const field = await hovered(page);
      for (const typed of ["g", "gg", "ggg", "gggg"]) {
        await page.evaluate("document.getElementById('content').focus()");
        await page.keyboard.press("PageDown");
        await field.click();
        await page.keyboard.type("g");
        await eventually(async () => (await field.inputValue()) === typed, "what was typed");
      }
      expect(await page.locator("iframe").count()).toBe(1);
    });
  });

  test("goes with a click to a panel that came with the keyboard to where the pointer was", async () => {
    await visit("plain", async (page) => {
      await hovered(page);
      await page.getByRole("link", { name: "Overview" }).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      await page.keyboard.press("Control+k");
      await page.keyboard.type("plain");
      await page.getByRole("option").first().filter({ hasText: "plain" }).waitFor();
      await page.keyboard.press("Enter");
      const field = await hovered(page);
      await field.click();
      await page.keyboard.type("g");
      await eventually(async () => (await field.inputValue()) === "g", "what was typed");
    });
  });
});
