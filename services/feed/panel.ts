import { html, raw } from "hono/html";

const style = `
.panel-feed { padding: 8px; color: var(--text, #ccc); }
.panel-feed .feed-bar { display: flex; gap: 8px; align-items: center; margin-bottom: 8px; }
.panel-feed .feed-bar input { flex: 1; min-width: 0; padding: 6px 8px; color: inherit; font: inherit;
  background: var(--bg-card, #1a1a1a); border: 1px solid var(--border, #2a2a2a); border-radius: 4px; }
.panel-feed .feed-state { color: var(--text-dim, #888); }
.panel-feed ol { list-style: none; margin: 0; padding: 0; }
.panel-feed li { background: var(--bg-card, #1a1a1a); border: 1px solid var(--border, #2a2a2a);
  border-radius: 4px; padding: 8px 10px; margin: 4px 0; overflow-wrap: anywhere; }
.panel-feed li.feed-child { margin-left: 20px; }
.panel-feed .feed-meta { color: var(--text-dim, #888); display: flex; gap: 8px; flex-wrap: wrap; }
.panel-feed .feed-type { color: var(--accent, #6cf); }
.panel-feed .feed-content { white-space: pre-wrap; }
`;

const script = `
(function () {
  const root = document.getElementById("feed-root");
  const list = root.querySelector("ol");
  const state = root.querySelector(".feed-state");
  const filter = root.querySelector("input");
  const API = typeof PANEL_API !== "undefined" ? PANEL_API : "/ui/api";
  const most = 200;
  const shown = new Map();
  let last = "";
  let round = 0;

  function part(tag, name, text) {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    return element;
  }

  function show(event) {
    if (shown.has(event.nodeId)) return;
    const item = document.createElement("li");
    if (event.parentId && shown.has(event.parentId)) item.className = "feed-child";
    const meta = part("div", "feed-meta", "");
    const time = part("time", "", new Date(event.time).toLocaleTimeString());
    time.dateTime = event.time;
    meta.append(time, part("span", "feed-type", event.type), part("span", "", event.source));
    item.append(meta, part("div", "feed-content", event.content));
    shown.set(event.nodeId, item);
    list.prepend(item);
    if (event.nodeId > last) last = event.nodeId;
    while (list.childElementCount > most) {
      const oldest = shown.keys().next().value;
      shown.get(oldest).remove();
      shown.delete(oldest);
    }
  }

  async function load(own) {
    const query = filter.value.trim();
    const response = await fetch(API + "/feed/events?limit=50" + (query ? "&q=" + encodeURIComponent(query) : ""));
    const data = await response.json();
    if (!response.ok) throw new Error(data.error || response.status);
    if (own !== round) return;
    list.replaceChildren();
    shown.clear();
    data.events.reverse().forEach(show);
    state.textContent = query ? data.count + " found" : data.count ? "live" : "no events yet";
    return query;
  }

  async function follow(own) {
    const response = await fetch(API + "/feed/stream" + (last ? "?since=" + last : ""));
    if (!response.ok) throw new Error(response.status);
    state.textContent = "live";
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (own !== round) return reader.cancel();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split("\\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("data: ")) continue;
        const event = JSON.parse(line.slice(6));
        if (event.type === "reset" && !event.nodeId) last = "";
        else show(event);
      }
      if (!last) return;
    }
  }

  async function start() {
    const own = ++round;
    last = "";
    while (own === round) {
      try {
        if (!last && (await load(own))) return;
        await follow(own);
      } catch (error) {
        if (own !== round) return;
        state.textContent = "not connected (" + error.message + "), trying again";
      }
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }

  filter.addEventListener("change", start);
  start();
})();
`;

/** The fragment that the dashboard shows: the latest events, then whatever comes. */
export const panel = html`<style>${raw(style)}</style>
<div class="panel-feed" id="feed-root">
  <div class="feed-bar">
    <input type="search" placeholder="Words to look for" aria-label="Words to look for" maxlength="200">
    <span class="feed-state" role="status">loading</span>
  </div>
  <ol aria-label="Events"></ol>
</div>
<script>${raw(script)}</script>`;
