/** Script and style of the page, made from the sources beside and below this file when they are first asked for. */
import { join } from "node:path";

export interface Asset {
  body: string;
  type: string;
}

export interface Assets {
  files: { "app.js": Asset; "style.css": Asset };
  version: string;
}

/** In the order of the cascade. */
const STYLES = ["base", "layout", "service", "route", "reply", "forms"];

let building: Promise<Assets> | undefined;

/** The files as browsers get them. A failed build is tried again by the next caller. */
export function assets(): Promise<Assets> {
  building ??= build().catch((error) => {
    building = undefined;
    throw error;
  });
  return building;
}

async function build(): Promise<Assets> {
  const [script, ...styles] = await Promise.all([
    bundle(join(import.meta.dir, "browser.tsx")),
    ...STYLES.map((name) => Bun.file(join(import.meta.dir, "styles", `${name}.css`)).text()),
  ]);
  const style = styles.join("\n");
  return {
    files: {
      "app.js": { body: script, type: "text/javascript; charset=utf-8" },
      "style.css": { body: style, type: "text/css; charset=utf-8" },
    },
    version: Bun.hash(script + style).toString(36),
  };
}

async function bundle(entry: string): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    target: "browser",
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const [script] = outputs;
  if (!script) throw new Error("the page's script is empty");
  return script.text();
}
