/** The colours of the dashboard and of panels, by the names that panels know. */

const DARK = `color-scheme: dark;
  --bg: #0f1214; --bg-panel: #14181b; --bg-card: #1b2024; --border: #2d353b;
  --text: #d3dade; --text-dim: #93a0a8; --text-bright: #f4f7f8;
  --accent: #4fd1b5; --blue: #7ab8ff; --purple: #c4a7f5; --yellow: #e9c46a; --red: #ff8a80; --orange: #f6a561;`;

const LIGHT = `color-scheme: light;
  --bg: #f4f6f7; --bg-panel: #ffffff; --bg-card: #f7f9fa; --border: #cfd7dc;
  --text: #2a3338; --text-dim: #5a676f; --text-bright: #0d1316;
  --accent: #0b7561; --blue: #1259b0; --purple: #6b3fb5; --yellow: #7a5900; --red: #b3261e; --orange: #98480a;`;

/** Without a choice (`data-theme` on the document) the system's setting counts. */
export const THEME = `:root { ${DARK} }
@media (prefers-color-scheme: light) { :root:not([data-theme]) { ${LIGHT} } }
[data-theme="light"] { ${LIGHT} }
`;
