/** The installer's panel, in a real browser over the real server. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { describeInBrowser } from "../support/in-browser.js";
import { answering } from "../support/sandbox.js";

describeInBrowser("the installer's panel", { services: ["installer"] }, (t) => {
  const installed = async (name: string) => {
    const { sandbox } = t.dashboard;
    sandbox.write(`elsewhere/${name}/index.ts`, answering(name, "hello"));
    const source = join(sandbox.root, "elsewhere", name);
    expect((await t.call("/installer/install", "POST", { source })).status).toBe(201);
  };

  test("keeps the question and the keyboard while jobs come and go", async () => {
    await installed("visitor");
    await t.visit("/ui/panels/installer", async (page) => {
      const panel = page.frameLocator("iframe");
      await panel.getByRole("button", { name: "Remove" }).click();
      const sure = panel.getByRole("button", { name: "Remove: sure?" });
      await sure.waitFor();
      await t.call("/installer/install", "POST", { source: "/nowhere/at/all" });
      await panel.getByText(/^install all: /).waitFor();
      expect(await sure.evaluate((button) => button === document.activeElement)).toBe(true);
      await sure.click();
      await panel.getByText("No installed services.").waitFor();
    });
  });
});
