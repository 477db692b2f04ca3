/** A real Chromium for tests, and what every page is held to: no request elsewhere, no serious barrier. */
import { readFileSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findChromium } from "../../scripts/chromium.mjs";

const executablePath = findChromium();

/** Whether this machine has a browser. Tests that need one are skipped by name without it. */
export const hasBrowser = executablePath !== undefined;

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

/** Starts a headless browser. Close it when done. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGUMENTS, headless: true });
}

/** A page in a profile of its own, with everything that it asks for and complains about. */
export interface WatchedPage {
  page: Page;
  /** Addresses of requests that went elsewhere than `origin`; they are not let through. */
  strangers: string[];
  /** Errors, failed loads and violations of the page's content security policy. */
  complaints: string[];
  close(): Promise<void>;
}

/** Opens an empty page that may talk to `origin` only. */
export async function watchedPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const strangers: string[] = [];
  const complaints: string[] = [];
  await context.route("**/*", (route) => {
    const { origin: asked, protocol } = new URL(route.request().url());
    if (asked === origin || protocol === "data:" || protocol === "blob:") return route.continue();
    strangers.push(route.request().url());
    return route.abort();
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return { page, strangers, complaints, close: () => context.close() };
}

interface Finding {
  impact: string | null;
  id: string;
  help: string;
  nodes: Array<{ target: string[] }>;
}

let axeSource: string | undefined;

/** Serious and critical findings of axe on the page as it is now, one line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  axeSource ??= readFileSync(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir), "utf8");
  // The debugger's evaluation is not subject to the page's content security policy.
  await page.evaluate(axeSource);
  const findings = await page.evaluate<Finding[]>("axe.run(document).then((results) => results.violations)");
  return findings
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target }) => target.join(" ")).join(", ")})`,
    );
}
