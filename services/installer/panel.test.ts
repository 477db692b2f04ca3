import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { hasBrowser, openBrowser, seriousFindings, watchedPage } from "../../tests/support/browser.js";
import { writeFiles } from "./testing/git-host.js";
import { type Instance, startInstance } from "./testing/instance.js";
import { sampleFiles } from "./testing/samples.js";

const ground = mkdtempSync(join(tmpdir(), "reef-panel-"));
let reef: Instance;
let dashboard: Bun.Server<undefined>;

/** A page around the panel, and a proxy that adds the token, as the dashboard has them. */
beforeAll(async () => {
  reef = await startInstance();
  const { data: panel } = await reef.request("GET", "/installer/_panel");
  const head =
    '<!doctype html><html lang="en"><head><title>Panel</title></head><body style="background:#0a0a0a"><main><h1 style="color:#fff">Installer</h1><h2 style="color:#fff">Services</h2>';
  dashboard = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === "/") {
        const page = `${head}<script>const PANEL_API = "/proxy";</script>${panel}</main></body></html>`;
        return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
      }
      if (!pathname.startsWith("/proxy/")) return new Response(null, { status: 204 });
      const body = request.method === "POST" ? await request.json() : undefined;
      const { status, data } = await reef.request(request.method, pathname.slice("/proxy".length), body);
      return Response.json(data, { status });
    },
  });
});
afterAll(async () => {
  await dashboard.stop(true);
  await reef.close();
  rmSync(ground, { recursive: true, force: true });
});

test("the panel keeps to the rules of panels", async () => {
  const { status, data } = await reef.request("GET", "/installer/_panel");
  expect(status).toBe(200);
  for (const rule of data.match(/^[^\n{}]+(?= \{)/gm).filter((line: string) => line.startsWith("."))) {
    expect(rule).toStartWith(".panel-installer");
  }
  expect(data).toContain("PANEL_API");
  expect(data).not.toMatch(/innerHTML|\/\/cdn|src=/);
});

describe.if(hasBrowser)("in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test("a service is installed, shown, updated, rolled back and removed", async () => {
    const hostile = join(ground, "<img src=x onerror=document.title='pwned'>");
    writeFiles(hostile, sampleFiles("greeter", "1"));
    const { page, strangers, complaints, close } = await watchedPage(browser, dashboard.url.origin);
    await page.goto(dashboard.url.href);
    await page.getByText("No installed services.").waitFor();
    expect(await seriousFindings(page)).toEqual([]);

    await page.getByLabel("user/repo").fill("./no such folder");
    await page.getByRole("button", { name: "Install" }).click();
    await page.getByText("is not a valid folder name").waitFor();

    // The panel has no field for the folder, so this one has a name of its own.
    await reef.install({ source: hostile, dirName: "greeter", link: false });
    const card = page.locator(".card", { hasText: "greeter" });
    await card.waitFor();
    expect(await card.textContent()).toContain("<img src=x");
    writeFiles(hostile, sampleFiles("greeter", "2"));
    await card.getByRole("button", { name: "Update" }).click();
    await card.getByRole("button", { name: "Roll back" }).waitFor();
    expect((await reef.request("GET", "/greeter")).data.version).toBe("2");
    await card.getByRole("button", { name: "Roll back" }).click();
    await page.getByText("rollback greeter: done").waitFor();
    expect((await reef.request("GET", "/greeter")).data.version).toBe("1");
    await card.getByRole("button", { name: "Remove" }).click();
    await card.getByRole("button", { name: "Remove: sure?" }).click();
    await page.getByText("No installed services.").waitFor();
    expect(await page.title()).toBe("Panel");
    expect(strangers).toEqual([]);
    // The refusal above is all that the page has complained about.
    expect(complaints.filter((text) => !text.includes("400"))).toEqual([]);
    await close();
  });

  test("what needs a token is installed and updated with the one in the form, and says so without", async () => {
    const other = await startInstance({ token: "token-of-the-other-reef" });
    writeFiles(join(other.servicesDir, "passed"), sampleFiles("passed", "1"));
    await other.post("/services/reload", {});
    const { page, close } = await watchedPage(browser, dashboard.url.origin);
    await page.goto(dashboard.url.href);
    const token = page.getByLabel("token");
    await page.getByLabel("user/repo").fill(other.url);
    await page.getByLabel("service name (for another Reef)").fill("passed");
    await token.fill("token-of-the-other-reef");
    await page.getByRole("button", { name: "Install" }).click();
    const update = page.locator(".card", { hasText: "passed" }).getByRole("button", { name: "Update" });
    await update.click();
    await page.getByText(/^update passed: .* requires its token/).waitFor();
    await token.fill("token-of-the-other-reef");
    await update.click();
    await page.getByRole("button", { name: "Update with the token: sure?" }).click();
    await page.getByText("update passed: done").waitFor();
    expect(await token.inputValue()).toBe("");
    await close();
    await reef.post("/installer/remove", { name: "passed" });
    await other.close();
  });

  test("a folder is installed from the form", async () => {
    const source = join(ground, "formed");
    writeFiles(source, sampleFiles("formed", "1"));
    const { page, close } = await watchedPage(browser, dashboard.url.origin);
    await page.goto(dashboard.url.href);
    await page.getByLabel("user/repo").fill(source);
    await page.getByLabel("Run its tests").check();
    await page.getByRole("button", { name: "Install" }).click();
    await page.locator(".card", { hasText: "formed" }).waitFor();
    expect((await reef.request("GET", "/formed")).data.version).toBe("1");
    await close();
  });
});
