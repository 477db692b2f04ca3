/** @jsxImportSource preact */
/** The page as the server sends it: complete and readable without its script. */
import { render } from "preact-render-to-string";
import type { Docs } from "../model.js";
import { App } from "./app.js";

/** The HTML of the page for one state of the documentation. */
export function renderPage(docs: Docs, version: string): string {
  const page = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>Reef API</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="stylesheet" href="/docs/ui/style.css" />
        <script type="module" src="/docs/ui/app.js" />
      </head>
      <body>
        <div id="app" data-version={version}>
          <App docs={docs} />
        </div>
      </body>
    </html>
  );
  return `<!doctype html>\n${render(page)}`;
}
