/** Deploys, roll-backs and unloading, in a real browser over the real server. */
import { expect, test } from "bun:test";
import { describeInBrowser } from "../support/in-browser.js";
import { answering } from "../support/sandbox.js";

const files = {
  "greeter/index.ts": answering("greeter", "one"),
  "leaving/index.ts": answering("leaving", "still here"),
};

describeInBrowser("the dashboard", { files }, (t) => {
  test("does not say that something serves where nothing did", async () => {
    t.dashboard.sandbox.services({ "torn/index.ts": "export default {" });
    await t.visit("/ui/services", async (page) => {
      await page.getByLabel("Folder to deploy").fill("torn");
      await page.getByRole("button", { name: "Deploy", exact: true }).click();
      await page.locator(".deploy .bad-text").waitFor();
      expect(await page.locator(".deploy").textContent()).not.toContain("keeps serving");
    });
  });

  test("deploys a folder once, however often the button is pressed meanwhile", async () => {
    t.dashboard.sandbox.services({ "fresh/index.ts": answering("fresh", "new") });
    await t.visit("/ui/services", async (page) => {
      let deploys = 0;
      await page.route("**/ui/api/services/deploy", (route) => {
        deploys++;
        return route.continue();
      });
      await page.getByLabel("Folder to deploy").fill("fresh");
      await page.getByRole("button", { name: "Deploy", exact: true }).dblclick();
      await page.getByText("The new version is serving.").waitFor();
      expect(deploys).toBe(1);
      expect(await page.getByRole("button", { name: "Deploy", exact: true }).isEnabled()).toBe(true);
    });
  });

  test("does not say how a deploy ended whose answer was lost", async () => {
    await t.visit("/ui/services/leaving", async (page) => {
      await page.route("**/ui/api/services/deploy", (route) => route.abort());
      await page.getByRole("button", { name: "Deploy", exact: true }).click();
      await page.getByText("The connection was lost while leaving was being deployed").waitFor();
      expect(await page.locator(".deploy").count()).toBe(0);
      expect(await page.getByRole("button", { name: "Deploy", exact: true }).isEnabled()).toBe(true);
    });
  });

  test("rolls back to the version that was shown, also when somebody else has done so meanwhile", async () => {
    t.dashboard.sandbox.services({ "greeter/index.ts": answering("greeter", "two") });
    await t.call("/services/deploy", "POST", { name: "greeter" });
    const said = async () => (await t.call("/greeter")).text();
    expect(await said()).toBe("two");
    await t.visit("/ui/services/greeter", async (page) => {
      await page.getByRole("button", { name: "Roll back", exact: true }).click();
      const sure = page.getByRole("dialog").getByRole("button", { name: "Roll back" });
      await sure.waitFor();
      await t.call("/services/rollback/greeter", "POST", {});
      expect(await said()).toBe("one");
      await sure.click();
      await page.getByText("greeter was rolled back.").waitFor();
      expect(await said()).toBe("one");
    });
  });
});
