/** The document around a panel's fragment: theme, address, and word of its height to the dashboard. */
import { html, raw } from "hono/html";
import { THEME } from "./theme.js";

/**
 * `fragment` is the service's own HTML, scripts included, and goes in as it is: the frame's sandbox and policy hold
 * it. Everything else is escaped.
 */
export function panelDocument(name: string, fragment: string, api: string, theme: "light" | "dark") {
  const settings = JSON.stringify({ api, theme, name }).replaceAll("<", "\\u003c");
  return html`<!doctype html>
    <html lang="en" data-theme="${theme}">
      <head>
        <meta charset="utf-8" />
        <title>${name}</title>
        <style>
          ${raw(THEME)} html,
          body {
            margin: 0;
            background: var(--bg-panel);
            color: var(--text);
            font: 14px/1.5 system-ui, sans-serif;
          }
        </style>
        <script>
          ${raw(bootScript(settings))};
        </script>
      </head>
      <body>
        ${raw(fragment)}
      </body>
    </html>`;
}

/** Runs before the panel's own script: `PANEL_API`, theme changes and height. */
function bootScript(settings: string): string {
  return `const REEF_PANEL = ${settings};
var PANEL_API = REEF_PANEL.api;
addEventListener("message", (event) => {
  if (event.source === parent && event.data && event.data.reef === "theme") {
    document.documentElement.dataset.theme = event.data.theme === "light" ? "light" : "dark";
  }
});
addEventListener("DOMContentLoaded", () => {
  const tell = () => parent.postMessage({ reef: "height", height: document.documentElement.scrollHeight }, "*");
  new ResizeObserver(tell).observe(document.body);
  tell();
})`;
}
