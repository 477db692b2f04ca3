/** The document around a panel's fragment: theme, address, and the script that speaks with the dashboard. */
import { html, raw } from "hono/html";
import { withoutFrames } from "./panel/frames.js";
import { THEME } from "./theme.js";

export interface PanelParts {
  name: string;
  /** The service's own HTML, scripts included; it goes in as it is, but for frames of its own: sandbox and policy hold it. */
  fragment: string;
  /** The address that the panel may call. */
  api: string;
  /** The built `panel/boot.ts`. */
  script: string;
  theme: "light" | "dark";
}

export function panelDocument({ name, fragment, api, script, theme }: PanelParts) {
  return html`<!doctype html>
<html lang="en" data-theme="${theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}</title>
<style>${raw(THEME)}
html, body { margin: 0; background: var(--bg); color: var(--text); font: 14px/1.5 system-ui, sans-serif; }
body { display: flow-root; }
</style>
<script data-settings="${JSON.stringify({ name, api })}">${raw(script)}</script>
</head>
<body>
${raw(withoutFrames(fragment))}
</body>
</html>`;
}
