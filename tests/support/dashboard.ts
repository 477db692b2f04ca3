/** The real server with the dashboard over a sandbox, and a browser that is logged in. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { type WatchedPage, watchedPage } from "./browser.js";
import { ReefProcess } from "./process.js";
import { eventually, type Files, Sandbox } from "./sandbox.js";

const SERVICES = join(import.meta.dir, "..", "..", "services");

export interface DashboardOptions {
  /** Names of the project's own services that are there besides the dashboard and the services manager. */
  services?: string[];
  /** Further services, as files below `services/`. */
  files?: Files;
  env?: Record<string, string>;
}

/** A server with the dashboard; `stop()` ends it and removes its folders. */
export class Dashboard {
  readonly sandbox: Sandbox;
  #process: ReefProcess;
  readonly #env: Record<string, string>;

  private constructor(sandbox: Sandbox, env: Record<string, string>) {
    this.sandbox = sandbox;
    this.#env = env;
    this.#process = new ReefProcess(sandbox, { env });
  }

  static async start({ services = [], files = {}, env = {} }: DashboardOptions = {}): Promise<Dashboard> {
    const sandbox = new Sandbox(files);
    for (const name of ["ui", "services", ...services])
      symlinkSync(join(SERVICES, name), join(sandbox.servicesDir, name));
    const dashboard = new Dashboard(sandbox, env);
    await dashboard.#ready();
    return dashboard;
  }

  get url(): string {
    return this.#process.url;
  }

  get output(): string {
    return this.#process.output;
  }

  /** A call with the token, as from a command line. */
  async call(path: string, method = "GET", body?: unknown): Promise<Response> {
    const init: RequestInit = { method };
    if (body !== undefined) {
      init.headers = { "content-type": "application/json" };
      init.body = JSON.stringify(body);
    }
    return this.#process.call(path, init);
  }

  /** Kills the server, and starts it again on the same port. */
  async restart(between: () => Promise<void> = async () => undefined): Promise<void> {
    const { port } = this.#process;
    await this.#process.stop("SIGKILL");
    await between();
    this.#process = new ReefProcess(this.sandbox, { env: { ...this.#env, PORT: String(port) } });
    await this.#ready();
  }

  /** Resolves when every service is loaded or has failed; the server listens before slow ones are there. */
  async #ready(): Promise<void> {
    await this.#process.listening();
    await eventually(async () => (await fetch(`${this.url}/ui/session`)).ok, "the dashboard");
    await eventually(async () => {
      const reply = await this.call("/services");
      type List = Partial<Record<"modules" | "notLoaded", Array<{ state: string }>>>;
      const { modules = [], notLoaded = [] } = (await reply.json()) as List;
      return modules.length > 0 && notLoaded.every(({ state }) => state !== "loading");
    }, "the services");
  }

  /** A one-time address that logs in. */
  async link(): Promise<string> {
    const reply = await this.call("/auth/magic-link", "POST");
    return ((await reply.json()) as { url: string }).url;
  }

  /** A page that is logged in and shows `path`. */
  async open(browser: Browser, path = "/ui", options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const watched = await watchedPage(browser, this.url, options);
    await watched.page.goto(await this.link());
    await watched.page.waitForURL(`${this.url}/ui`);
    if (path !== "/ui") await watched.page.goto(this.url + path);
    return watched;
  }

  async stop(): Promise<void> {
    await this.#process.stop("SIGKILL");
    this.sandbox.remove();
  }
}
