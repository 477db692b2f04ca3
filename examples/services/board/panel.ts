import { boardPanel } from "./panel-script.js";

const STYLE = `
.panel-board { padding: 8px; color: var(--text, #ccc); }
.panel-board .notice { min-height: 1.2em; margin: 0 0 6px; color: var(--orange, #e90); }
.panel-board .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 8px; }
.panel-board h3 { margin: 0 0 6px; font-size: 13px; color: var(--text-bright, #fff); }
.panel-board .column { background: var(--bg-panel, #141414); border-radius: 4px; padding: 8px; }
.panel-board .card {
  background: var(--bg-card, #1a1a1a); border: 1px solid var(--border, #2a2a2a);
  border-radius: 4px; padding: 8px; margin: 0 0 6px; overflow-wrap: anywhere;
}
.panel-board .title { color: var(--text-bright, #fff); }
.panel-board .facts, .panel-board .empty { color: var(--text-dim, #999); font-size: 12px; }
.panel-board .tag { color: var(--blue, #6af); font-size: 12px; margin-right: 6px; }
.panel-board .actions { display: flex; flex-wrap: wrap; gap: 4px; margin-top: 6px; }
.panel-board button {
  background: var(--bg, #0a0a0a); color: var(--accent, #4f9); border: 1px solid var(--border, #2a2a2a);
  border-radius: 4px; padding: 2px 8px; font: inherit; font-size: 12px; cursor: pointer;
}
.panel-board button:disabled { opacity: 0.5; }
`;

/** The HTML fragment of the dashboard's panel. It holds no data; its script fetches them. */
export function renderPanel(): string {
  return `<style>${STYLE}</style>
<div class="panel-board" id="board-root"></div>
<script>
(function () {
  const api = typeof PANEL_API !== "undefined" ? PANEL_API : "/ui/api";
  (${boardPanel})(document.getElementById("board-root"), api);
})();
</script>
`;
}
