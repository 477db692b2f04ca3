/** The status widget: a header with the control plane's address, then the lines of every service. */
import type { ExtensionContext } from "@mariozechner/pi-coding-agent";
import type { ServiceModule } from "../types.js";
import type { Installation } from "./installation.js";
import { underLimits } from "./limits.js";

const KEY = "reef";
const REFRESH_MS = 15_000;
const LINES_LIMIT_MS = 2000;
const MAX_LINES = 10;
const MAX_WIDTH = 200;

/** Shows the lines of all services and refreshes them during the session. */
export class CompositeWidget {
  readonly #sources: readonly ServiceModule[];
  readonly #installation: Installation;
  readonly #lines = new Map<string, string[]>();
  #ctx: ExtensionContext | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #refreshing = false;
  #calls = new AbortController();
  #shown = "";

  constructor(modules: readonly ServiceModule[], installation: Installation) {
    this.#sources = modules.filter((module) => module.widget);
    this.#installation = installation;
  }

  /** Starts showing lines in the terminal of `ctx`, if it has one. Does not wait for them. */
  start(ctx: ExtensionContext): void {
    this.stop();
    if (!ctx.hasUI) return;
    this.#ctx = ctx;
    this.#calls = new AbortController();
    this.#show();
    this.refresh();
    if (this.#sources.length === 0) return;
    this.#timer = setInterval(() => this.refresh(), REFRESH_MS);
    if (typeof this.#timer === "object") this.#timer.unref();
  }

  /** Requests lines from all services and shows each result as it arrives. */
  refresh(): void {
    if (!this.#ctx || this.#refreshing || !this.#installation.client.getBaseUrl()) return;
    this.#refreshing = true;
    const asked = this.#sources.map((module) => this.#ask(module));
    void Promise.all(asked).then(() => {
      this.#refreshing = false;
    });
  }

  async #ask(module: ServiceModule): Promise<void> {
    const { name, widget } = module;
    const { signal } = this.#calls;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("the widget timed out")), LINES_LIMIT_MS);
        if (typeof timer === "object") timer.unref();
      });
      const asked = underLimits({ timeoutMs: LINES_LIMIT_MS, signal }, () =>
        this.#installation.ownerOf(name).run(async () => widget?.getLines(this.#installation.client)),
      );
      this.#lines.set(name, clean(await Promise.race([asked, late])));
    } catch (error) {
      if (signal.aborted) return;
      // Old lines would look current. The reason is reported once.
      this.#lines.delete(name);
      this.#installation.report(`${name}, widget`, error);
    } finally {
      clearTimeout(timer);
    }
    this.#show();
  }

  #show(): void {
    const ctx = this.#ctx;
    if (!ctx) return;
    const url = this.#installation.client.getBaseUrl();
    const lines = [
      url ? `Reef ${hideCredentials(url)}` : "Reef: no control plane (VERS_INFRA_URL is not set)",
    ];
    for (const { name } of this.#sources) lines.push(...(this.#lines.get(name) ?? []));
    const text = lines.join("\n");
    if (text === this.#shown) return;
    try {
      ctx.ui.setWidget(KEY, lines);
      this.#shown = text;
    } catch {
      // The session was replaced without notice; its terminal is no longer ours.
      this.stop();
    }
  }

  /** Stops refreshing and releases the session's context. Pending requests are aborted. */
  stop(): void {
    this.#calls.abort();
    this.#refreshing = false;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#ctx = undefined;
    this.#shown = "";
  }
}

function hideCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}

/** Removes control characters: lines contain text from others. */
function clean(lines: unknown): string[] {
  if (!Array.isArray(lines)) return [];
  return lines.slice(0, MAX_LINES).map((line) =>
    String(line)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
      .replace(/\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f]/g, " ")
      .slice(0, MAX_WIDTH),
  );
}
