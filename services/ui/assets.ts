/** The dashboard's scripts and styles, built from source when first asked for and kept under their hash. */
import { join } from "node:path";
import type { Context } from "hono";
import { ReefError } from "../../src/core/errors.js";
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
  /** Sets the colours before the first paint; small, not a module. */
  first: string;
  style: string;
}

const ASSETS = "/ui/assets/";
const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

/** Bundles one entry; `name` is the entry point's path below this folder. */
async function build(name: string, format: "esm" | "iife"): Promise<Bun.BuildOutput> {
  return Bun.build({
    entrypoints: [join(import.meta.dir, name)],
    target: "browser",
    format,
    minify: true,
    splitting: format === "esm",
    naming: "[name]-[hash].[ext]",
    define: { "process.env.NODE_ENV": '"production"' },
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
      build("client/main.tsx", "esm"),
      build("client/first.ts", "iife"),
      build("client/style.css", "esm"),
    ]);
    const script = await this.#keep(app, SCRIPT);
    const [sheet] = css.outputs;
    if (!sheet) throw new Error("building the dashboard gave no style");
    const style = this.#add("style", THEME + (await sheet.text()), STYLE);
    return { script, first: await this.#keep(first, SCRIPT), style };
  }

  /** Keeps all files of a build; returns the address of its entry point. */
  async #keep({ outputs }: Bun.BuildOutput, type: string): Promise<string> {
    let entry = "";
    for (const output of outputs) {
      const name = output.path.slice(output.path.lastIndexOf("/") + 1);
      this.#set(name, await output.text(), type);
      if (output.kind === "entry-point") entry = ASSETS + name;
    }
    if (entry === "") throw new Error("building the dashboard gave no script");
    return entry;
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
  const { outputs } = await build("panel/boot.ts", "iife");
  const [script] = outputs;
  if (!script) throw new Error("building the panels' script gave nothing");
  return (await script.text()).replaceAll("</", "<\\/").replaceAll("<!--", "<\\!--");
}
