/** What tests of the dashboard in a real browser share: a server and a browser for each file, and visits to pages. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { hasBrowser, openBrowser, type WatchedPage } from "./browser.js";
import { Dashboard, type DashboardOptions } from "./dashboard.js";

export interface VisitOptions extends BrowserContextOptions {
  /** A script that runs in the page, and in its frames, before their own. */
  init?: string;
  /** Whether whatever the page complains about is a fault. */
  calm?: boolean;
}

/** The server and the browser of a file's tests, which are there once its tests run. */
export class InBrowser {
  browser!: Browser;
  dashboard!: Dashboard;

  get url(): string {
    return this.dashboard.url;
  }

  /** A call with the token, as from a command line. */
  call(path: string, method?: string, body?: unknown): Promise<Response> {
    return this.dashboard.call(path, method, body);
  }

  /** A page that is logged in and shows `path`; close it when done. */
  open(path?: string, options?: BrowserContextOptions): Promise<WatchedPage> {
    return this.dashboard.open(this.browser, path, options);
  }

  /** Uses a page that is logged in and shows `path`. It asks for nothing elsewhere. */
  async visit(
    path: string,
    use: (page: Page) => Promise<void>,
    { init, calm = false, ...options }: VisitOptions = {},
  ): Promise<void> {
    const { page, strangers, complaints, close } = await this.open(init ? undefined : path, options);
    if (init) {
      await page.addInitScript(init);
      await page.goto(this.url + path);
    }
    await use(page);
    expect(strangers).toEqual([]);
    if (calm) expect(complaints).toEqual([]);
    await close();
  }
}

/** Tests over a dashboard in a browser; skipped by name where there is none. */
export function describeInBrowser(
  what: string,
  options: DashboardOptions,
  tests: (t: InBrowser) => void,
): void {
  describe.skipIf(!hasBrowser)(what, () => {
    const t = new InBrowser();
    beforeAll(async () => {
      [t.browser, t.dashboard] = await Promise.all([openBrowser(), Dashboard.start(options)]);
    });
    afterAll(async () => {
      await t.browser?.close();
      await t.dashboard?.stop();
    });
    tests(t);
  });
}
