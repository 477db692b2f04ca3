/** The dashboard's script and style, built from source when first asked for and kept under their hash. */
import { join } from "node:path";
import type { Context } from "hono";
import { ReefError } from "../../src/core/errors.js";
import { THEME } from "./theme.js";

interface Asset {
  body: Uint8Array<ArrayBuffer>;
  type: string;
  /** May be cached for ever: its name changes with its content. */
  immutable: boolean;
}

export class Assets {
  readonly #files = new Map<string, Asset>();
  #built: Promise<string> | undefined;

  /** Path of the entry script. */
  script(): Promise<string> {
    this.#built ??= this.#build().catch((error) => {
      this.#built = undefined;
      throw error;
    });
    return this.#built;
  }

  async #build(): Promise<string> {
    const result = await Bun.build({
      entrypoints: [join(import.meta.dir, "client", "main.ts")],
      target: "browser",
      format: "esm",
      minify: true,
      splitting: true,
      naming: "[name]-[hash].[ext]",
    });
    let entry = "";
    for (const output of result.outputs) {
      const name = output.path.slice(output.path.lastIndexOf("/") + 1);
      const body = new Uint8Array(await output.arrayBuffer());
      this.#files.set(name, { body, type: "text/javascript; charset=utf-8", immutable: true });
      if (output.kind === "entry-point") entry = name;
    }
    if (entry === "") throw new Error("building the dashboard gave no script");
    return `/ui/assets/${entry}`;
  }

  async #style(): Promise<Asset> {
    const own = await Bun.file(join(import.meta.dir, "client", "style.css")).text();
    return { body: new TextEncoder().encode(THEME + own), type: "text/css; charset=utf-8", immutable: false };
  }

  async serve(c: Context): Promise<Response> {
    const name = c.req.param("file") ?? "";
    const asset = name === "style.css" ? await this.#style() : this.#files.get(name);
    if (!asset) throw new ReefError("NOT_FOUND");
    return new Response(asset.body, {
      headers: {
        "content-type": asset.type,
        "cache-control": asset.immutable ? "public, max-age=31536000, immutable" : "no-cache",
      },
    });
  }
}
