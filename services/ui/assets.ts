/** The dashboard's scripts and styles, built from source when first asked for and kept under their hash. */
import { join } from "node:path";
import type { Context } from "hono";
import { ReefError } from "../../src/core/errors.js";
import { PAGE_NAMES, type PageName } from "./page-names.js";
import { THEME } from "./theme.js";

interface Asset {
  body: Uint8Array<ArrayBuffer>;
  gzip: Uint8Array<ArrayBuffer>;
  type: string;
}

/** Addresses of what a page of the dashboard starts with. */
export interface Entries {
  /** The app, an ES module. */
  script: string;
  /** The modules that it imports. */
  shared: string[];
  /** The module of each page. */
  pages: Record<PageName, string>;
  /** Sets the colours before the first paint; small, not a module. */
  first: string;
  style: string;
}

const ASSETS = "/ui/assets/";
const MAIN = "client/main.tsx";
const FIRST = "client/first.ts";
const pageFile = (page: PageName) => `client/pages/${page}.tsx`;
const baseOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

/** Bundles code; `names` are the entry points' paths below this folder. */
async function build(names: readonly string[], format: "esm" | "iife"): Promise<Bun.BuildOutput> {
  return Bun.build({
    entrypoints: names.map((name) => join(import.meta.dir, name)),
    target: "browser",
    format,
    minify: true,
    splitting: format === "esm",
    naming: "[name]-[hash].[ext]",
    define: { "process.env.NODE_ENV": '"production"' },
    metafile: true,
  });
}

/** Everything that browsers load from `/ui/assets/`. */
export class Assets {
  readonly #files = new Map<string, Asset>();
  #entries: Promise<Entries> | undefined;
  #panel: Promise<string> | undefined;

  /** Builds what is not built yet. A failed build is tried again by the next caller. */
  entries(): Promise<Entries> {
    this.#entries ??= this.#build().catch((error) => {
      this.#entries = undefined;
      throw error;
    });
    return this.#entries;
  }

  /** The script that runs in every panel before the panel's own, safe to stand inside a script element. */
  panelScript(): Promise<string> {
    this.#panel ??= panelScript().catch((error) => {
      this.#panel = undefined;
      throw error;
    });
    return this.#panel;
  }

  /** Bytes on the wire of each file, compressed, by its name. */
  sizes(): Record<string, number> {
    return Object.fromEntries([...this.#files].map(([name, { gzip }]) => [name, gzip.length]));
  }

  async #build(): Promise<Entries> {
    const [app, first, css] = await Promise.all([
      build([MAIN, ...PAGE_NAMES.map(pageFile)], "esm"),
      build([FIRST], "iife"),
      build(["client/style.css"], "esm"),
    ]);
    const files = await this.#keep(app);
    const [script, ...shared] = files(MAIN);
    const pages = Object.fromEntries(
      PAGE_NAMES.map((page) => {
        const [own, ...others] = files(pageFile(page));
        if (!others.every((file) => shared.includes(file)))
          throw new Error(`the page "${page}" shares code that is not in client/shell.ts`);
        return [page, own];
      }),
    ) as Entries["pages"];
    const [sheet] = css.outputs;
    if (!sheet) throw new Error("the dashboard build produced no style sheet");
    const style = this.#add("style", THEME + (await sheet.text()), STYLE);
    const [before] = (await this.#keep(first))(FIRST);
    return { script, shared, pages, first: before, style };
  }

  /** Keeps all files of a build. Returns what tells the addresses of an entry point's, its own first. */
  async #keep({ outputs, metafile }: Bun.BuildOutput): Promise<(entry: string) => [string, ...string[]]> {
    for (const output of outputs) this.#set(baseOf(output.path), await output.text(), SCRIPT);
    const made = Object.entries(metafile?.outputs ?? {});
    const imports = new Map(
      made.map(([path, { imports }]) => [
        baseOf(path),
        imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => baseOf(path)),
      ]),
    );
    return (entry) => {
      const [path] = made.find(([, { entryPoint }]) => entryPoint?.endsWith(`/${entry}`)) ?? [];
      if (path === undefined) throw new Error(`the dashboard build produced no ${entry}`);
      // A set that grows while it is gone through.
      const found = new Set([baseOf(path)]);
      for (const name of found) for (const other of imports.get(name) ?? []) found.add(other);
      return [...found].map((name) => ASSETS + name) as [string, ...string[]];
    };
  }

  #add(name: string, text: string, type: string): string {
    const full = `${name}-${Bun.hash(text).toString(36)}.css`;
    this.#set(full, text, type);
    return ASSETS + full;
  }

  #set(name: string, text: string, type: string): void {
    const body = new TextEncoder().encode(text);
    this.#files.set(name, { body, gzip: Bun.gzipSync(body, { level: 9 }), type });
  }

  async serve(c: Context): Promise<Response> {
    await this.entries();
    const asset = this.#files.get(c.req.param("file") ?? "");
    if (!asset) throw new ReefError("NOT_FOUND");
    const packed = /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
    return new Response(packed ? asset.gzip : asset.body, {
      headers: {
        "content-type": asset.type,
        // Its name changes with its content.
        "cache-control": "public, max-age=31536000, immutable",
        vary: "accept-encoding",
        ...(packed && { "content-encoding": "gzip" }),
      },
    });
  }
}

async function panelScript(): Promise<string> {
  const { outputs } = await build(["panel/boot.ts"], "iife");
  const [script] = outputs;
  if (!script) throw new Error("the panel script build produced no output");
  return (await script.text()).replaceAll("</", "<\\/").replaceAll("<!--", "<\\!--");
}
