import { installerPanel } from "./panel/script.js";

const STYLE = `
.panel-installer { padding: 8px; color: var(--text, #ccc); }
.panel-installer form { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
.panel-installer input:not([type=checkbox]) {
  flex: 1 1 180px; min-width: 0; background: var(--bg, #0a0a0a); color: var(--text-bright, #fff);
  border: 1px solid var(--border, #2a2a2a); border-radius: 4px; padding: 4px 8px; font: inherit; font-size: 12px;
}
.panel-installer label { font-size: 12px; }
.panel-installer .notice { min-height: 1.2em; margin: 6px 0; color: var(--orange, #e90); overflow-wrap: anywhere; }
.panel-installer h3 { margin: 10px 0 4px; font-size: 13px; color: var(--text-bright, #fff); }
.panel-installer .card {
  background: var(--bg-card, #1a1a1a); border: 1px solid var(--border, #2a2a2a);
  border-radius: 4px; padding: 8px; margin: 0 0 6px; overflow-wrap: anywhere;
}
.panel-installer .title { color: var(--text-bright, #fff); }
.panel-installer .facts, .panel-installer .empty, .panel-installer .job { color: var(--text-dim, #999); font-size: 12px; }
.panel-installer .job.failed, .panel-installer .job.interrupted { color: var(--red, #f66); overflow-wrap: anywhere; }
.panel-installer .actions { display: flex; flex-wrap: wrap; gap: 4px; margin-top: 6px; }
.panel-installer button {
  background: var(--bg, #0a0a0a); color: var(--accent, #4f9); border: 1px solid var(--border, #2a2a2a);
  border-radius: 4px; padding: 2px 8px; font: inherit; font-size: 12px; cursor: pointer;
}
`;

/** The HTML fragment of the dashboard's panel. It holds no data; its script fetches them. */
export const panel = `<style>${STYLE}</style>
<div class="panel-installer" id="installer-root"></div>
<script>
(function () {
  const api = typeof PANEL_API !== "undefined" ? PANEL_API : "/ui/api";
  (${installerPanel})(document.getElementById("installer-root"), api);
})();
</script>
`;
